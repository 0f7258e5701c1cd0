using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Files;
using Dsd.Curation.Axes;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Dataset.Formats;
using Dsd.Runs.Ledger;

namespace Dsd.Runs.Export;

/// <summary>
/// Writes kept and rejected pairs of one prompt as rows for preference tuning: one reference panel, a panel that keeps its subject (win), and one of the same
/// grid that does not (lose).
/// </summary>
/// <remarks>
/// The folder has <c>metadata.jsonl</c> and <c>images/</c>, as Hugging Face's <c>imagefolder</c> reads it: each row has <c>reference_file_name</c>,
/// <c>win_file_name</c>, <c>lose_file_name</c>, <c>prompt</c> (the grid's), <c>win_caption</c>, <c>lose_caption</c>, <c>win_id</c>, <c>lose_id</c>,
/// <c>win_axes</c>, <c>lose_axes</c> and <c>lose_reason</c>. Pairs on which the judge came to no verdict lose nothing and are left out. A grid of two panels
/// has one pair, and so no row.
/// </remarks>
public static class PreferenceExport
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    /// <summary>Writes the rows of a run's folder.</summary>
    /// <param name="runFolder">The run's folder; a run may go on in it meanwhile.</param>
    /// <param name="target">The folder to write: absent or empty.</param>
    /// <param name="options">Which; null is the defaults.</param>
    /// <param name="cancellationToken">Checked before each grid.</param>
    /// <returns>How many rows were written.</returns>
    /// <exception cref="LedgerException">The ledger is none, or contradicts itself, or a grid is gone.</exception>
    /// <exception cref="DatasetException">There is no row to write.</exception>
    /// <exception cref="IOException">The target cannot be written, or holds something.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; nothing is left of it.</exception>
    public static long Write(string runFolder, string target, PreferenceOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(runFolder);
        ArgumentException.ThrowIfNullOrEmpty(target);
        options ??= new PreferenceOptions();
        RunFolder run = RunFolder.OpenToRead(runFolder);
        try
        {
            RunPanels panels = new(run);
            long rows = 0;
            AtomicFolder.Write(target, folder => throw new IOException($"Cannot write the folder '{folder}': it is not empty. Choose another place."), folder =>
            {
                string images = Path.Combine(folder, "images");
                Directory.CreateDirectory(images);
                using FileStream lines = File.Create(Path.Combine(folder, "metadata.jsonl"));
                foreach (IReadOnlyList<LedgerPair> grid in RunPanels.ByGrid(run.Ledger.Pairs(unreadable: _ => { })))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    foreach (Row row in Rows(run.Ledger, panels, grid, options, images))
                    {
                        JsonSerializer.Serialize(lines, row, Json);
                        lines.WriteByte((byte)'\n');
                        rows++;
                    }
                }
                if (rows == 0)
                {
                    throw new DatasetException(
                        $"from '{runFolder}'",
                        "grids in which one panel has a kept pair and a rejected one",
                        "none. Grids of two panels have none: take a layout of more");
                }
            });
            return rows;
        }
        finally
        {
            run.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static IEnumerable<Row> Rows(RunLedger ledger, RunPanels panels, IReadOnlyList<LedgerPair> grid, PreferenceOptions options, string images)
    {
        (LedgerPair Pair, bool Kept)[] judged =
        [
            .. grid.Select(p => ledger.PairOf(p.Id)).Where(p => p.Reviewed is not null || p.Judgement.Status == VerdictStatus.Decided)
                .Select(p => (p, options.Cut?.Keeps(p) ?? p.Kept)),
        ];
        if (judged.All(j => j.Kept) || judged.All(j => !j.Kept))
        {
            yield break;
        }
        // Ordered pairs are used both ways round, so that either panel may be the reference.
        IEnumerable<(int Reference, int Target, LedgerPair Pair, bool Kept)> used = judged.SelectMany(j => panels.Choice == PairChoice.Ordered
            ? new[] { (j.Pair.First, j.Pair.Second, j.Pair, j.Kept), (j.Pair.Second, j.Pair.First, j.Pair, j.Kept) }
            : [(j.Pair.First, j.Pair.Second, j.Pair, j.Kept)]);
        GridPanels cut = panels.Of(grid[0].PromptId);
        HashSet<string> written = [];
        foreach (var reference in used.GroupBy(u => u.Reference).OrderBy(g => g.Key))
        {
            foreach ((var win, var lose) in reference.Where(u => u.Kept).SelectMany(win => reference.Where(u => !u.Kept).Select(lose => (win, lose)))
                .Take(options.MostPerReference))
            {
                yield return new Row
                {
                    ReferenceFileName = Picture(win.Pair, reference.Key),
                    WinFileName = Picture(win.Pair, win.Target),
                    LoseFileName = Picture(lose.Pair, lose.Target),
                    Prompt = cut.Prompt.Prompt.Text,
                    WinCaption = cut.Caption(win.Pair, win.Target),
                    LoseCaption = cut.Caption(lose.Pair, lose.Target),
                    WinId = win.Pair.Id,
                    LoseId = lose.Pair.Id,
                    WinAxes = win.Pair.Axes?.Axes,
                    LoseAxes = lose.Pair.Axes?.Axes,
                    LoseReason = lose.Pair.Judgement.Reason,
                };
            }
        }

        string Picture(LedgerPair pair, int panel)
        {
            string name = $"{RunPairs.FileNameOf(ledger.File, cut.Prompt.Id)}~{panel}{(options.JpegQuality is null ? ".png" : ".jpg")}";
            if (written.Add(name))
            {
                Imaging.Picture picture = cut.Panel(pair, panel);
                File.WriteAllBytes(Path.Combine(images, name), options.JpegQuality is { } quality ? picture.EncodeJpeg(quality) : picture.EncodePng());
            }
            return $"images/{name}";
        }
    }

    private sealed record Row
    {
        public required string ReferenceFileName { get; init; }

        public required string WinFileName { get; init; }

        public required string LoseFileName { get; init; }

        public required string Prompt { get; init; }

        public required string WinCaption { get; init; }

        public required string LoseCaption { get; init; }

        public required string WinId { get; init; }

        public required string LoseId { get; init; }

        public PairAxes? WinAxes { get; init; }

        public PairAxes? LoseAxes { get; init; }

        public required string LoseReason { get; init; }
    }
}
