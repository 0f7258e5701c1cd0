using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Threading.Channels;
using Dsd.Curation.Chat;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Runs.Ledger;

namespace Dsd.Runs;

/// <summary>
/// From captions to judged pairs (section 3.1 of arXiv 2411.18616), four stages at once with little between them: prompts are written,
/// grids drawn in batches, saved and cut, and their pairs judged. What stands in the store is not done again, so a run that was cut off at
/// any moment goes on where it was.
/// </summary>
public sealed class CurationRun
{
    private readonly IRunStore _store;
    private readonly RunOptions _options;
    private readonly IGridPromptWriter _writer;
    private readonly IGridTeacher _teacher;
    private readonly IPairJudge _judge;
    private readonly PanelCaptioner? _captioner;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FailuresInARow _failures;
    private RunProgress _done = new(0, 0, 0, 0, 0);
    private int _working;
    private Exception? _ending;

    /// <summary>A run that keeps its results in a store. What it is given stays the caller's.</summary>
    /// <param name="store">Where results go.</param>
    /// <param name="options">What to do.</param>
    /// <param name="writer">Writes prompts.</param>
    /// <param name="teacher">Draws grids.</param>
    /// <param name="judge">Judges pairs.</param>
    /// <param name="captioner">Captions each panel by what it shows; null takes the text that the grid was drawn from.</param>
    public CurationRun(IRunStore store, RunOptions options, IGridPromptWriter writer, IGridTeacher teacher, IPairJudge judge, PanelCaptioner? captioner = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(judge);
        (_store, _options, _writer, _teacher, _judge, _captioner) = (store, options, writer, teacher, judge, captioner);
        _failures = new FailuresInARow(options.MostFailures);
    }

    /// <summary>Is called after each piece of work, from any thread.</summary>
    public IProgress<RunProgress>? Progress { get; init; }

    /// <summary>
    /// Called, from any thread, when nothing of a caption is under way any more; with false where a piece of it failed and is left for the
    /// next run. What it throws ends the run.
    /// </summary>
    public Func<SeedCaption, bool, Task>? CaptionDone { get; init; }

    /// <summary>Runs until all captions are through.</summary>
    /// <param name="captions">The captions, taken only as there is room. A key must always name the same caption.</param>
    /// <param name="cancellationToken">Stops the run; what is done is in the store.</param>
    /// <returns>What this run did.</returns>
    /// <exception cref="LedgerException">The store was begun with other options, or a key now names another caption.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent; what was judged is in the store.</exception>
    /// <exception cref="ChatFailedException">
    /// Too many requests failed in a row, or one in a way that all others would too: a wrong key, an unknown model.
    /// </exception>
    /// <exception cref="IOException">The store cannot be read or written, or was taken away; what was written before is in it.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public async Task<RunProgress> RunAsync(IAsyncEnumerable<SeedCaption> captions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(captions);
        await _store.BeginAsync(_options.Fingerprint(_writer.GetType().Name, _teacher.Name, _judge.Name), Facts()).ConfigureAwait(false);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Channel<CaptionWork> unwritten = Channel.CreateBounded<CaptionWork>(_options.Writers);
        Channel<PromptWork> written = Channel.CreateBounded<PromptWork>(2 * _options.BatchSize);
        Channel<GridWork> drawn = Channel.CreateBounded<GridWork>(2 * _options.BatchSize);
        Channel<PairWork> cut = Channel.CreateBounded<PairWork>(2 * _options.Judges);
        // Captioning panels waits for a chat model, so it takes as many hands as the writing of prompts.
        int cutters = _captioner is null ? 2 : Math.Max(2, _options.Writers);
        Task[] stages =
        [
            Stage(1, () => ReadAsync(captions, unwritten.Writer, stop.Token), unwritten.Writer, stop),
            Stage(_options.Writers, () => WriteAsync(unwritten.Reader, written.Writer, stop.Token), written.Writer, stop),
            Stage(1, () => DrawAsync(written.Reader, drawn.Writer, stop.Token), drawn.Writer, stop),
            Stage(cutters, () => CutAsync(drawn.Reader, cut.Writer, stop.Token), cut.Writer, stop),
            Stage<PairWork>(_options.Judges, () => JudgeAsync(cut.Reader, stop.Token), null, stop),
        ];
        try
        {
            await Task.WhenAll(stages).ConfigureAwait(false);
        }
        catch
        {
            // The first fault has cancelled the other stages: it is the one to tell, not their ending.
            if (stages.SelectMany(s => s.Exception?.InnerExceptions ?? Enumerable.Empty<Exception>())
                .FirstOrDefault(e => e is not OperationCanceledException and not ChannelClosedException) is { } fault)
            {
                ExceptionDispatchInfo.Throw(fault);
            }
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        await _store.CheckAsync().ConfigureAwait(false);
        return _done;
    }

    private Dictionary<string, string> Facts() =>
        new() { ["pairs"] = _options.Task.Pairs.ToString(), ["cutting"] = JsonSerializer.Serialize(_options.Cutting) };

    private async Task ReadAsync(IAsyncEnumerable<SeedCaption> captions, ChannelWriter<CaptionWork> next, CancellationToken cancel)
    {
        await foreach (SeedCaption caption in captions.WithCancellation(cancel).ConfigureAwait(false))
        {
            if (_options.Shard.Holds(caption.Key))
            {
                await next.WriteAsync(new CaptionWork(caption), cancel).ConfigureAwait(false);
            }
        }
    }

    private async Task WriteAsync(ChannelReader<CaptionWork> captions, ChannelWriter<PromptWork> next, CancellationToken cancel)
    {
        await foreach (CaptionWork work in captions.ReadAllAsync(cancel).ConfigureAwait(false))
        {
            List<LedgerPrompt> open = [];
            IReadOnlyList<LedgerPrompt> prompts = [];
            await Attempt(work, work.Caption.Key, "prompts", cancel, async () =>
                prompts = await _store.PromptsAsync(work.Caption).ConfigureAwait(false) ?? await WritePromptsAsync(work.Caption, cancel).ConfigureAwait(false))
                    .ConfigureAwait(false);
            foreach (LedgerPrompt prompt in prompts)
            {
                await Attempt(work, prompt.Id, "sheet", cancel, async () =>
                {
                    // A grid whose pairs are all judged is drawn anew where it is lost: a dataset needs its pictures.
                    if ((await _store.JudgedAsync(prompt.Id).ConfigureAwait(false)).Count < PairsOf(prompt).Count || !await _store.HasGridAsync(prompt.Id)
                        .ConfigureAwait(false))
                    {
                        open.Add(prompt);
                    }
                }).ConfigureAwait(false);
            }
            work.Begin(open.Count);
            foreach (LedgerPrompt prompt in open)
            {
                await next.WriteAsync(new PromptWork(work, prompt), cancel).ConfigureAwait(false);
            }
            Add(new RunProgress(1, 0, 0, 0, 0));
            await EndAsync(work).ConfigureAwait(false);
        }
    }

    private async Task<IReadOnlyList<LedgerPrompt>> WritePromptsAsync(SeedCaption caption, CancellationToken cancel)
    {
        GridPromptRequest request =
            new(caption.Caption) { Layout = _options.GridLayout, Count = _options.PromptsPerCaption, Seed = _options.SeedOf(caption.Key) };
        IReadOnlyList<GridPrompt> prompts = await _writer.WriteAsync(request, cancel).ConfigureAwait(false);
        LedgerPrompt[] rows = [.. prompts.Select((prompt, i) => (Id: $"{caption.Key}~{i}", Ordinal: i, Prompt: prompt))
            .Select(p => new LedgerPrompt(p.Id, caption.Key, p.Ordinal, p.Prompt, _options.SeedOf(p.Id)))];
        await _store.WritePromptsAsync(caption, rows).ConfigureAwait(false);
        return rows;
    }

    private async Task DrawAsync(ChannelReader<PromptWork> prompts, ChannelWriter<GridWork> next, CancellationToken cancel)
    {
        List<PromptWork> batch = [];
        // What waits is drawn together; a batch that is not full does not wait for prompts that may depend on this one's end.
        while (await prompts.WaitToReadAsync(cancel).ConfigureAwait(false))
        {
            while (batch.Count < _options.BatchSize && prompts.TryRead(out PromptWork? work))
            {
                Picture? grid;
                try
                {
                    grid = await _store.GridAsync(work.Prompt.Id).ConfigureAwait(false);
                }
                catch (LedgerException e) when (e.ConcernsOneRow)
                {
                    await NoteAsync(work.Caption, work.Prompt.Id, "sheet", e).ConfigureAwait(false);
                    await EndAsync(work.Caption).ConfigureAwait(false);
                    continue;
                }
                if (grid is not null)
                {
                    await next.WriteAsync(new GridWork(work.Caption, work.Prompt, grid, IsNew: false), cancel).ConfigureAwait(false);
                }
                else
                {
                    batch.Add(work);
                }
            }
            if (batch.Count == 0)
            {
                continue;
            }
            IReadOnlyList<Picture> grids = await Task.Run(
                () => _teacher.Draw([.. batch.Select(w => (w.Prompt.Prompt.Text, w.Prompt.Seed))], cancel), cancel).ConfigureAwait(false);
            foreach ((PromptWork work, Picture grid) in batch.Zip(grids))
            {
                await next.WriteAsync(new GridWork(work.Caption, work.Prompt, grid, IsNew: true), cancel).ConfigureAwait(false);
            }
            batch.Clear();
        }
    }

    private async Task CutAsync(ChannelReader<GridWork> grids, ChannelWriter<PairWork> next, CancellationToken cancel)
    {
        await foreach (GridWork work in grids.ReadAllAsync(cancel).ConfigureAwait(false))
        {
            LedgerPrompt prompt = work.Prompt;
            PairWork[] pairs = [];
            await Attempt(work.Caption, prompt.Id, "sheet", cancel, async () =>
            {
                if (work.IsNew)
                {
                    await _store.WriteGridAsync(prompt.Id, work.Grid, _teacher.Name).ConfigureAwait(false);
                    Add(new RunProgress(0, 1, 0, 0, 0));
                }
                IReadOnlyList<Picture> panels = PanelCutter.Cut(work.Grid, prompt.Prompt.Layout, _options.Cutting);
                await CaptionAsync(prompt, panels, cancel).ConfigureAwait(false);
                IReadOnlySet<(int, int)> judged = await _store.JudgedAsync(prompt.Id).ConfigureAwait(false);
                pairs = [.. PairsOf(prompt).Where(p => !judged.Contains(p)).Select(
                    p => new PairWork(work.Caption, prompt.Id, p.First, p.Second, panels[p.First], panels[p.Second]))];
            }).ConfigureAwait(false);
            work.Caption.Begin(pairs.Length);
            foreach (PairWork pair in pairs)
            {
                await next.WriteAsync(pair, cancel).ConfigureAwait(false);
            }
            await EndAsync(work.Caption).ConfigureAwait(false);
        }
    }

    private async Task CaptionAsync(LedgerPrompt prompt, IReadOnlyList<Picture> panels, CancellationToken cancel)
    {
        if (_captioner is null)
        {
            return;
        }
        IReadOnlyDictionary<int, string> known = await _store.PanelCaptionsAsync(prompt.Id).ConfigureAwait(false);
        for (int i = 0; i < panels.Count; i++)
        {
            if (!known.ContainsKey(i))
            {
                string caption = await _captioner.CaptionAsync(panels[i], prompt.Prompt.Subject, cancel).ConfigureAwait(false);
                await _store.WritePanelCaptionAsync(prompt.Id, i, caption).ConfigureAwait(false);
            }
        }
    }

    private async Task JudgeAsync(ChannelReader<PairWork> pairs, CancellationToken cancel)
    {
        await foreach (PairWork pair in pairs.ReadAllAsync(cancel).ConfigureAwait(false))
        {
            string id = LedgerPair.IdOf(pair.PromptId, pair.First, pair.Second);
            await Attempt(pair.Caption, id, "judge", cancel, async () =>
            {
                PairJudgement judgement = await _judge.JudgeAsync(pair.A, pair.B, cancel).ConfigureAwait(false);
                await _store.WritePairAsync(new LedgerPair(id, pair.PromptId, pair.First, pair.Second, judgement)).ConfigureAwait(false);
                Add(new RunProgress(0, 0, 1, judgement.Kept ? 1 : 0, 0));
            }).ConfigureAwait(false);
            await EndAsync(pair.Caption).ConfigureAwait(false);
        }
    }

    /// <summary>Does a piece of work; a failure that concerns it alone is noted, and too many in a row end the run.</summary>
    private async Task Attempt(CaptionWork caption, string id, string stage, CancellationToken cancel, Func<Task> work)
    {
        await BeginWorkAsync(cancel).ConfigureAwait(false);
        bool ends = false;
        try
        {
            await work().ConfigureAwait(false);
            _failures.Succeed();
        }
        catch (Exception e) when (e is ChatBudgetException or ChatFailedException { ConcernsAll: true })
        {
            lock (_gate)
            {
                _ending ??= e;
            }
            ends = true;
        }
        catch (Exception e) when (
            (e is ChatFailedException or GridPromptException or ArgumentException or FormatException or LedgerException { ConcernsOneRow: true })
            && !cancel.IsCancellationRequested)
        {
            await NoteAsync(caption, id, stage, e).ConfigureAwait(false);
        }
        finally
        {
            EndWork();
        }
        if (ends)
        {
            await BeginWorkAsync(cancel).ConfigureAwait(false);
        }
    }

    private async Task NoteAsync(CaptionWork caption, string id, string stage, Exception fault)
    {
        _failures.Fail(fault);
        caption.Fail();
        // A row that cannot be read is reported for as long as it is there, and not noted: nothing would remove the note once it is repaired.
        if (fault is not LedgerException)
        {
            await _store.WriteFailureAsync(id, stage, fault.Message).ConfigureAwait(false);
        }
        Add(new RunProgress(0, 0, 0, 0, 1));
    }

    /// <summary>
    /// Counts a piece of work; once the budget is spent, or a model refuses all, none begins, and the run ends when what is under way, and
    /// paid for, is written.
    /// </summary>
    private async Task BeginWorkAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            if (_ending is null)
            {
                _working++;
                return;
            }
        }
        await _idle.Task.WaitAsync(cancel).ConfigureAwait(false);
        ExceptionDispatchInfo.Throw(_ending);
    }

    private void EndWork()
    {
        lock (_gate)
        {
            _working--;
            if (_ending is not null && _working == 0)
            {
                _idle.TrySetResult();
            }
        }
    }

    private async Task EndAsync(CaptionWork work)
    {
        if (work.End() && CaptionDone is not null)
        {
            await CaptionDone(work.Caption, work.Whole).ConfigureAwait(false);
        }
    }

    private IReadOnlyList<(int First, int Second)> PairsOf(LedgerPrompt prompt) => PanelCutter.Pairs(prompt.Prompt.Layout.Panels, _options.Task.Pairs);

    private void Add(RunProgress more)
    {
        RunProgress now;
        lock (_gate)
        {
            now = _done = new RunProgress(
                _done.Captions + more.Captions, _done.Drawn + more.Drawn, _done.Judged + more.Judged, _done.Kept + more.Kept, _done.Failed + more.Failed);
        }
        Progress?.Report(now);
    }

    /// <summary>Runs so many of a stage's workers; when all have ended the next stage has all it gets, and a fault ends the whole run.</summary>
    private static async Task Stage<T>(int workers, Func<Task> work, ChannelWriter<T>? next, CancellationTokenSource stop)
    {
        async Task Worker()
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch
            {
                // At once, not when the stage's other workers have ended: they may wait for what will not come.
                await stop.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
        try
        {
            await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(Worker))).ConfigureAwait(false);
            next?.Complete();
        }
        catch (Exception e)
        {
            next?.TryComplete(e);
            throw;
        }
    }

    private sealed record PromptWork(CaptionWork Caption, LedgerPrompt Prompt);

    private sealed record GridWork(CaptionWork Caption, LedgerPrompt Prompt, Picture Grid, bool IsNew);

    private sealed record PairWork(CaptionWork Caption, string PromptId, int First, int Second, Picture A, Picture B);
}
