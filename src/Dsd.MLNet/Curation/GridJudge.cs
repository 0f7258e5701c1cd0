using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;

namespace Dsd.MLNet.Curation;

/// <summary>Cuts a curator's grids and judges their pairs. Owns the chat client if it asked for one.</summary>
internal sealed class GridJudge(VlmCuratorOptions options, StageHost host) : IDisposable
{
    // A batch of grids, as the grid generator draws them: so much is judged while the next is drawn.
    private const int GridsAhead = 4;
    private readonly SharedTool<IPairJudge> _judge = new(nameof(VlmCuratorTransformer), () => StageJudge.Make(options));

    /// <summary>How the grids of a view are read. All grids of a cursor share what may be judged at the same time.</summary>
    public GridReading Reading(GridPlan plan, GridLayout layout)
    {
        int pairs = PanelCutter.Pairs(layout.Panels, options.EffectivePairs).Count;
        return new GridReading(
            [options.GridColumn, plan.Captioned ? options.PanelCaptionsColumn : options.CaptionColumn],
            ((options.Judging.Concurrency + pairs - 1) / pairs) + GridsAhead,
            Open,
            () => new GridTally(host, options.Progress),
            KeepFailures: options.BadRows != BadRows.Fail);

        Func<CancellationToken, Task<JudgedGrid>> Open(DataViewRow row)
        {
            SemaphoreSlim places = new(options.Judging.Concurrency);
            Func<Picture> picture = InputReaders.Picture(row, options.GridColumn);
            Func<string[]> captions = plan.Captioned
                ? PanelCaptions(row, layout)
                : Repeated(InputReaders.Text(row, options.CaptionColumn, "a caption"), layout.Panels);
            return stopped =>
            {
                Outcome<CutGrid> grid = options.Policy.Try(() => new CutGrid(Cut(row.Position, picture(), layout, plan.Cutting), captions()));
                return grid.Error is { } fault
                    ? Task.FromResult(new JudgedGrid(0, 0, options.BadRows == BadRows.Mark ? [CuratedPair.Marked(fault)] : [], fault))
                    : host.RunAsync(row.Position, 1, options.KeptColumn, stopped, cancel => JudgeAsync(grid.Value, places, cancel));
            };
        }
    }

    private IReadOnlyList<Picture> Cut(long row, Picture grid, GridLayout layout, PanelCutterOptions cutting)
    {
        try
        {
            return PanelCutter.Cut(grid, layout, cutting);
        }
        catch (ArgumentException e)
        {
            throw new DsdRowException(row, options.GridColumn, e.Message, e);
        }
    }

    private async Task<JudgedGrid> JudgeAsync(CutGrid grid, SemaphoreSlim places, CancellationToken cancel)
    {
        (IReadOnlyList<Picture> panels, string[] prompts) = grid;
        PanelPair[] pairs =
        [
            .. PanelCutter.Pairs(panels.Count, options.EffectivePairs)
                .Select(p => new PanelPair(panels[p.First], panels[p.Second], prompts[p.First], prompts[p.Second])),
        ];
        using CancellationTokenSource rest = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        async Task<PairJudgement> One(PanelPair pair)
        {
            // First come, first served: the pairs of earlier grids are asked about first.
            await places.WaitAsync(rest.Token).ConfigureAwait(false);
            try
            {
                return await Task.Run(() => _judge.UseAsync(judge => judge.JudgeAsync(pair.First, pair.Second, rest.Token)), rest.Token).ConfigureAwait(false);
            }
            catch
            {
                await rest.CancelAsync().ConfigureAwait(false);
                throw;
            }
            finally
            {
                places.Release();
            }
        }
        PairJudgement[] judgements = await Task.WhenAll(pairs.Select(One)).ConfigureAwait(false);
        return new JudgedGrid(pairs.Length, judgements.Count(j => j.Kept), [.. pairs.Zip(judgements).SelectMany(p => Rows(p.First, p.Second))]);
    }

    private IEnumerable<CuratedPair> Rows(PanelPair pair, PairJudgement judgement)
    {
        if (!judgement.Kept && !options.IncludeRejected)
        {
            yield break;
        }
        yield return new CuratedPair(pair.First, pair.Second, pair.SecondCaption, judgement);
        if (options.EffectivePairs == PairChoice.Ordered)
        {
            yield return new CuratedPair(pair.Second, pair.First, pair.FirstCaption, judgement);
        }
    }

    private Func<string[]> PanelCaptions(DataViewRow row, GridLayout layout)
    {
        Func<string[]> read = InputReaders.Texts(row, options.PanelCaptionsColumn);
        return () =>
        {
            string[] captions = read();
            return captions.Length == layout.Panels
                ? captions
                : throw new DsdRowException(
                    row.Position,
                    options.PanelCaptionsColumn,
                    $"expected {layout.Panels} texts, one for each panel of a {layout} grid, found {captions.Length}.");
        };
    }

    private static Func<string[]> Repeated(Func<string> caption, int count) => () => [.. Enumerable.Repeat(caption(), count)];

    /// <summary>Asks no judge from now on.</summary>
    public void Dispose() => _judge.Dispose();

    private sealed record CutGrid(IReadOnlyList<Picture> Panels, string[] Prompts);

    private sealed record PanelPair(Picture First, Picture Second, string FirstCaption, string SecondCaption);
}
