using System.Globalization;
using System.Text;
using Dsd.Common.Files;
using Dsd.Imaging;
using Dsd.Review.Page;
using Dsd.Review.Pairs;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Exporting;

/// <summary>Writes the review page as files that a browser opens without a server, to be looked at and not to be changed.</summary>
public static class ReviewExport
{
    private const int JpegQuality = 90;

    /// <summary>Writes the page of a run's folder: <c>index.html</c>, its script and style, and a picture for each panel.</summary>
    /// <param name="folder">The run's folder; a run may go on in it meanwhile.</param>
    /// <param name="target">The folder to write, whole or not at all. An earlier export there is replaced.</param>
    /// <param name="options">How much is written.</param>
    /// <param name="cancellationToken">Stops the work; nothing new is left then.</param>
    /// <returns>The pairs written, and those in the ledger. A pair that needs a row that cannot be read is written as what is wrong with it.</returns>
    /// <exception cref="IOException">There is no ledger in the folder, or the target holds something else or cannot be written.</exception>
    /// <exception cref="LedgerException">The ledger is none, or no run was begun in it.</exception>
    public static async Task<(int Written, int All)> WriteAsync(
        string folder, string target, ReviewExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentException.ThrowIfNullOrEmpty(target);
        options ??= new ReviewExportOptions();
        RunFolder run = RunFolder.OpenToRead(folder);
        await using (run.ConfigureAwait(false))
        {
            IReadOnlyList<string> all = run.Ledger.PairIds(new PairFilter());
            int count = Math.Min(all.Count, options.MostPairs);
            string[] chosen = [.. Enumerable.Range(0, count).Select(i => all[(int)((long)i * all.Count / count)])];
            string note = string.Create(CultureInfo.InvariantCulture, $"{count} of {all.Count} pairs, to look at only");
            AtomicFolder.Write(target, RequireExport, half => Fill(run, chosen, note, half, options, cancellationToken));
            return (count, all.Count);
        }
    }

    private static void RequireExport(string folder)
    {
        if (!File.Exists(Path.Combine(folder, PageFiles.Data)) || !File.Exists(Path.Combine(folder, PageFiles.Index)))
        {
            throw new IOException($"Cannot write the page to '{folder}': the folder holds other files. Choose an empty one, or one with an earlier page.");
        }
    }

    private static void Fill(RunFolder run, IReadOnlyList<string> ids, string note, string folder, ReviewExportOptions options, CancellationToken cancel)
    {
        PanelSource panels = new(run);
        PairReader reader = new(run);
        Dictionary<(string PromptId, int Panel), string> written = [];
        string pictures = Path.Combine(folder, "panels");
        Directory.CreateDirectory(pictures);
        List<PairView> pairs = [];
        foreach (string id in ids)
        {
            cancel.ThrowIfCancellationRequested();
            pairs.Add(reader.Read(id, Place));
        }
        PageData data = PageData.Of(run);
        data = data with
        {
            Name = $"{data.Name}: {note}",
            Pairs = pairs,
            Summary = ReviewSummary.Of(
            run.Ledger.Outcomes(), run.Ledger.Agreement(), run.Ledger.Faults())
        };
        File.WriteAllText(Path.Combine(folder, PageFiles.Data), data.ToScript(), Encoding.ASCII);
        foreach (string name in PageFiles.Types.Keys)
        {
            File.WriteAllBytes(Path.Combine(folder, name), PageFiles.Read(name));
        }

        (string Source, string Small) Place(string promptId, int panel, string version)
        {
            // Numbered, not named after ids: those may come from elsewhere and are no file names.
            if (!written.TryGetValue((promptId, panel), out string? name))
            {
                written.Add((promptId, panel), name = string.Create(CultureInfo.InvariantCulture, $"panels/{written.Count + 1:00000}.jpg"));
                if (Readable(promptId, panel) is { } picture)
                {
                    double scale = Math.Min(1, (double)options.MaxSide / Math.Max(picture.Width, picture.Height));
                    Picture sent = picture.Resize(Math.Max(1, (int)(picture.Width * scale)), Math.Max(1, (int)(picture.Height * scale)));
                    File.WriteAllBytes(Path.Combine(folder, name), sent.EncodeJpeg(JpegQuality));
                }
            }
            return (name, name);
        }

        Picture? Readable(string promptId, int panel)
        {
            try
            {
                return panels.Panel(promptId, panel);
            }
            catch (LedgerException e) when (e.ConcernsOneRow)
            {
                return null;
            }
        }
    }
}
