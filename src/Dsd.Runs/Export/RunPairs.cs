using System.Text.Json;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Runs.Ledger;

namespace Dsd.Runs.Export;

/// <summary>The rows of a run's folder, a grid's at a time, in the order of their names.</summary>
internal sealed class RunPairs
{
    private readonly RunFolder _run;
    private readonly PairChoice _choice;
    private readonly PanelCutterOptions _cutting;
    private readonly DatasetWriteOptions _options;
    private readonly IReadOnlySet<string>? _without;
    private readonly HashSet<string> _unreadable = [];
    private readonly List<string> _firstUnreadable = [];

    /// <exception cref="LedgerException">The ledger does not say how its grids are cut and paired.</exception>
    public RunPairs(RunFolder run, DatasetWriteOptions options, IReadOnlySet<string>? withoutGrids = null)
    {
        (_run, _options, _without) = (run, options, withoutGrids);
        _choice = Enum.TryParse(Fact("pairs"), out PairChoice choice) && Enum.IsDefined(choice)
            ? choice
            : throw new LedgerException(
                run.Ledger.File, $"a fact 'pairs' that is one of {string.Join(", ", Enum.GetNames<PairChoice>())}", $"'{Fact("pairs")}'");
        try
        {
            _cutting = JsonSerializer.Deserialize<PanelCutterOptions>(Fact("cutting")) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new LedgerException(run.Ledger.File, "a fact 'cutting' that says how grids are cut", $"'{Fact("cutting")}'", e);
        }
    }

    /// <summary>Rows of the ledger that could not be read so far, which kept pairs out.</summary>
    public LedgerFaults Unreadable => new(_unreadable.Count, [.. _firstUnreadable]);

    /// <summary>The first of them.</summary>
    public LedgerException? FirstUnreadable { get; private set; }

    /// <summary>Each grid's rows. Grids are cut and encoded on all cores, as many as there are at a time.</summary>
    public IEnumerable<IReadOnlyList<PairRecord>> Grids(CancellationToken cancel)
    {
        foreach (IReadOnlyList<LedgerPair>[] grids in Pairs().Chunk(Environment.ProcessorCount))
        {
            Task<IReadOnlyList<PairRecord>>[] rows = [.. grids.Select(grid => Task.Run(() => Rows(grid), cancel))];
            foreach (IReadOnlyList<PairRecord> grid in Task.WhenAll(rows).GetAwaiter().GetResult())
            {
                yield return grid;
            }
        }
    }

    private string Fact(string name) =>
        _run.Ledger.Meta(name) ?? throw new LedgerException(
            _run.Ledger.File, $"a run that has begun, which notes '{name}'", "no such note: begin the run, or go on with it, once more");

    // Ids begin with the grid's, so a grid's pairs lie together.
    private IEnumerable<IReadOnlyList<LedgerPair>> Pairs()
    {
        List<LedgerPair> grid = [];
        IEnumerable<LedgerPair> pairs = _run.Ledger.Pairs(keptOnly: !_options.IncludeRejected, PassOver);
        foreach (LedgerPair pair in _without is null ? pairs : pairs.Where(p => !_without.Contains(p.PromptId)))
        {
            if (grid.Count > 0 && grid[0].PromptId != pair.PromptId)
            {
                yield return grid;
                grid = [];
            }
            grid.Add(pair);
        }
        if (grid.Count > 0)
        {
            yield return grid;
        }
    }

    private void PassOver(LedgerException fault)
    {
        const int MostNamed = 5;
        // Grids are cut on all cores.
        lock (_unreadable)
        {
            FirstUnreadable ??= fault;
            if (_unreadable.Add($"{fault.Table} {fault.Row}") && _firstUnreadable.Count < MostNamed)
            {
                _firstUnreadable.Add(fault.Message);
            }
        }
    }

    private IReadOnlyList<PairRecord> Rows(IReadOnlyList<LedgerPair> grid)
    {
        try
        {
            return ReadableRows(grid);
        }
        catch (LedgerException e) when (e.ConcernsOneRow)
        {
            PassOver(e);
            return [];
        }
    }

    private IReadOnlyList<PairRecord> ReadableRows(IReadOnlyList<LedgerPair> grid)
    {
        LedgerPrompt prompt = _run.Ledger.PromptOf(grid[0].PromptId);
        IReadOnlyDictionary<int, string> ownCaptions = _run.Ledger.PanelCaptionsOf(prompt.Id);
        IReadOnlyList<Picture> panels = PanelCutter.Cut(Grid(prompt), prompt.Prompt.Layout, _cutting);
        EncodedPicture?[] encoded = new EncodedPicture?[panels.Count];
        List<PairRecord> rows = [];
        foreach (string id in grid.Select(p => p.Id))
        {
            try
            {
                LedgerPair pair = _run.Ledger.PairOf(id);
                PairRecord row = Row(pair, pair.First, pair.Second);
                rows.AddRange(_choice == PairChoice.Ordered ? [row, Row(pair, pair.Second, pair.First)] : [row]);
            }
            catch (LedgerException e) when (e.ConcernsOneRow)
            {
                PassOver(e);
            }
        }
        return rows;

        PairRecord Row(LedgerPair pair, int reference, int target)
        {
            string id = Name(LedgerPair.IdOf(prompt.Id, reference, target));
            return new PairRecord
            {
                Source = $"'{_run.Ledger.File}', pair '{pair.Id}'",
                Image = Panel(pair, target),
                Conditioning = Panel(pair, reference),
                Caption = Caption(pair, target),
                Details = Details(pair, id, prompt.CaptionKey, targetIsSecond: target == pair.Second),
            };
        }

        EncodedPicture Panel(LedgerPair pair, int panel)
        {
            Has(pair, panel, panels.Count, "panels");
            return encoded[panel] ??= _options.JpegQuality is { } quality
                ? new EncodedPicture($"{Name(prompt.Id)}~{panel}.jpg", panels[panel].EncodeJpeg(quality))
                : new EncodedPicture($"{Name(prompt.Id)}~{panel}.png", panels[panel].EncodePng());
        }

        string Caption(LedgerPair pair, int panel)
        {
            if (ownCaptions.TryGetValue(panel, out string? own))
            {
                return own;
            }
            Has(pair, panel, prompt.Prompt.Captions.Count, "captions");
            return prompt.Prompt.Captions[panel];
        }
    }

    private Picture Grid(LedgerPrompt prompt)
    {
        LedgerGrid grid = _run.Ledger.GridOf(prompt.Id) ?? throw new LedgerException(
            _run.Ledger.File, $"the grid of '{prompt.Id}', whose pairs are judged", "none");
        return _run.Load(grid) ?? throw new LedgerException(
            _run.Ledger.File, $"the grid '{grid.File}' as it was drawn", "a file that is gone or damaged. Go on with the run: it draws such grids anew");
    }

    private void Has(LedgerPair pair, int panel, int count, string what)
    {
        if (panel < 0 || panel >= count)
        {
            throw LedgerException.OfRow(
                _run.Ledger.File,
                LedgerTable.Pairs.Name,
                pair.Id,
                panel == pair.First ? "first" : "second",
                $"a panel that is one of the grid's {count} {what}",
                $"panel {panel}");
        }
    }

    // Names become files' names, and a ledger may come from elsewhere.
    private string Name(string id) =>
        id.Length is > 0 and <= 80 && id[0] is not ('.' or '~') && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~')
            ? id
            : throw LedgerException.OfRow(_run.Ledger.File, LedgerTable.Prompts.Name, id, "id", "at most 80 letters, digits, '-', '_', '.' and '~'", $"'{id}'");

    private static PairDetails Details(LedgerPair pair, string id, string captionKey, bool targetIsSecond)
    {
        PairJudgement judgement = pair.Judgement;
        Verdict? verdict = judgement.Verdict;
        // The vote that the verdict is from; where there is none, the last that was asked.
        JudgeVote? vote = judgement.Votes.LastOrDefault(v => verdict is not null && ReferenceEquals(v.Verdict, verdict)) ?? judgement.Votes.LastOrDefault();
        return new PairDetails
        {
            Id = id,
            PairId = pair.Id,
            CaptionKey = captionKey,
            Kept = pair.Kept,
            Reviewed = pair.Reviewed switch { true => "kept", false => "rejected", null => "none" },
            Status = judgement.Status switch
            {
                VerdictStatus.Decided => "decided",
                VerdictStatus.TooDifferent => "too_different",
                VerdictStatus.NearCopy => "near_copy",
                _ => "undecided",
            },
            Same = verdict?.Same,
            Confidence = double.IsNaN(judgement.Confidence) ? null : judgement.Confidence,
            Subject = verdict?.Subject,
            ImageDescription = targetIsSecond ? verdict?.DescriptionB : verdict?.DescriptionA,
            ConditioningDescription = targetIsSecond ? verdict?.DescriptionA : verdict?.DescriptionB,
            Differences = verdict?.Differences ?? [],
            Flags = verdict?.Flags ?? [],
            Reason = judgement.Reason,
            Judge = vote?.Judge,
            Model = vote?.Model,
            Votes = judgement.Votes.Count,
        };
    }
}
