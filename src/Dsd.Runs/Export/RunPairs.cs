using System.Globalization;
using Dsd.Curation.Axes;
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
    private readonly RunPanels _panels;
    private readonly DatasetWriteOptions _options;
    private readonly IReadOnlySet<string>? _without;
    private readonly PairCut? _cut;
    private readonly HashSet<string> _unreadable = [];
    private readonly List<string> _firstUnreadable = [];
    private long _tooFew;

    /// <exception cref="LedgerException">The ledger does not say how its grids are cut and paired.</exception>
    public RunPairs(RunFolder run, DatasetWriteOptions options, IReadOnlySet<string>? withoutGrids = null, PairCut? cut = null) =>
        (_run, _panels, _options, _without, _cut) = (run, new RunPanels(run), options, withoutGrids, cut);

    /// <summary>Rows of the ledger that could not be read so far, which kept pairs out.</summary>
    public LedgerFaults Unreadable => new(_unreadable.Count, [.. _firstUnreadable]);

    /// <summary>Rows that were left out so far, since their target has too few references.</summary>
    public long TooFewReferences => Interlocked.Read(ref _tooFew);

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

    // With a cut of its own, what was not kept may be.
    private IEnumerable<IReadOnlyList<LedgerPair>> Pairs() => RunPanels.ByGrid(
        _run.Ledger.Pairs(keptOnly: _cut is null && !_options.IncludeRejected, PassOver).Where(p => _without?.Contains(p.PromptId) != true));

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
        List<(LedgerPair Pair, bool Kept)> chosen = [];
        foreach (string id in grid.Select(p => p.Id))
        {
            try
            {
                LedgerPair pair = _run.Ledger.PairOf(id);
                bool kept = _cut?.Keeps(pair) ?? pair.Kept;
                if (kept || _options.IncludeRejected)
                {
                    chosen.Add((pair, kept));
                }
            }
            catch (LedgerException e) when (e.ConcernsOneRow)
            {
                PassOver(e);
            }
        }
        if (chosen.Count == 0)
        {
            return [];
        }
        GridPanels panels = _panels.Of(grid[0].PromptId);
        EncodedPicture?[] encoded = new EncodedPicture?[panels.Panels.Count];
        List<PairRecord> rows = [];
        foreach ((LedgerPair pair, bool kept) in chosen)
        {
            try
            {
                PairRecord?[] both =
                [
                    Row(pair, kept, pair.First, pair.Second),
                    _panels.Choice == PairChoice.Ordered ? Row(pair, kept, pair.Second, pair.First) : null,
                ];
                rows.AddRange(both.OfType<PairRecord>());
            }
            catch (LedgerException e) when (e.ConcernsOneRow)
            {
                PassOver(e);
            }
        }
        return rows;

        // Null where the target has too few references.
        PairRecord? Row(LedgerPair pair, bool kept, int reference, int target)
        {
            int[] further = [.. Further(reference, target).Take(_options.References - 1)];
            if (further.Length < _options.References - 1)
            {
                Interlocked.Increment(ref _tooFew);
                return null;
            }
            string id = Name(LedgerPair.IdOf(panels.Prompt.Id, reference, target));
            return new PairRecord
            {
                Source = $"'{_run.Ledger.File}', pair '{pair.Id}'",
                Image = Panel(pair, target),
                Conditioning = Panel(pair, reference),
                FurtherConditioning = [.. further.Select(panel => Panel(pair, panel))],
                Caption = panels.Caption(pair, target),
                Details = Details(pair, kept, id, panels.Prompt.CaptionKey, targetIsSecond: target == pair.Second),
            };
        }

        // Panels that make kept pairs of their own with the target, from the earliest on.
        IEnumerable<int> Further(int reference, int target) => chosen
            .Where(c => c.Kept && (c.Pair.First == target || c.Pair.Second == target))
            .Select(c => c.Pair.First == target ? c.Pair.Second : c.Pair.First).Where(panel => panel != reference).Distinct().Order();

        EncodedPicture Panel(LedgerPair pair, int panel)
        {
            Picture picture = panels.Panel(pair, panel);
            return encoded[panel] ??= _options.JpegQuality is { } quality
                ? new EncodedPicture($"{Name(panels.Prompt.Id)}~{panel}.jpg", picture.EncodeJpeg(quality))
                : new EncodedPicture($"{Name(panels.Prompt.Id)}~{panel}.png", picture.EncodePng());
        }
    }

    private string Name(string id) => FileNameOf(_run.Ledger.File, id);

    /// <summary>An id as the name of a file: a ledger may come from elsewhere.</summary>
    /// <exception cref="LedgerException">It can be none.</exception>
    internal static string FileNameOf(string ledger, string id) =>
        id.Length is > 0 and <= 80 && id[0] is not ('.' or '~') && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~')
            ? id
            : throw LedgerException.OfRow(ledger, LedgerTable.Prompts.Name, id, "id", "at most 80 letters, digits, '-', '_', '.' and '~'", $"'{id}'");

    private static PairDetails Details(LedgerPair pair, bool kept, string id, string captionKey, bool targetIsSecond)
    {
        PairJudgement judgement = pair.Judgement;
        Verdict? verdict = judgement.Verdict;
        PairAxes? axes = pair.Axes?.Axes;
        // The vote that the verdict is from; where there is none, the last that was asked.
        JudgeVote? vote = judgement.Votes.LastOrDefault(v => verdict is not null && ReferenceEquals(v.Verdict, verdict)) ?? judgement.Votes.LastOrDefault();
        return new PairDetails
        {
            Id = id,
            PairId = pair.Id,
            CaptionKey = captionKey,
            Kept = kept,
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
            ObjectConsistency = axes?.ObjectConsistency,
            LowestPart = axes?[PairAxis.LowestPart],
            ImageQuality = axes?.ImageQuality,
            Composition = axes?.Composition,
            PromptAdherence = axes?.PromptAdherence,
            Parts = axes is null ? null : [.. axes.Parts.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Name}: {p.Score}, {p.Differences}"))],
        };
    }
}
