using System.Collections.Concurrent;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Tests;

/// <summary>A run's folder, made by the run's own store: grids of two panels with a white gutter, the left one red, the right one blue.</summary>
internal sealed class TestRun : IDisposable
{
    public const int PanelWidth = 60;
    public const int PanelHeight = 64;
    public const string Hostile = "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>";

    private static readonly ConcurrentDictionary<int, Lazy<Task<TestRun>>> Made = [];

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"dsd-review-{Guid.NewGuid():N}");

    /// <summary>
    /// A run with so many pairs of ids <c>p000~0~0-1</c>, … In turn kept (0.9), rejected (0.3, flag 'text') and undecided; the second one's
    /// texts are hostile.
    /// </summary>
    public static async Task<TestRun> MakeAsync(int pairs)
    {
        // Made once for each size, and copied: writing grids waits for the disk.
        TestRun made = await Made.GetOrAdd(pairs, p => new Lazy<Task<TestRun>>(() => MakeNewAsync(p))).Value;
        TestRun run = new();
        foreach (string file in Directory.EnumerateFiles(made.Folder, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(run.Folder, Path.GetRelativePath(made.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return run;
    }

    private static async Task<TestRun> MakeNewAsync(int pairs)
    {
        TestRun run = new();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => run.Dispose();
        await using RunFolder folder = RunFolder.Open(run.Folder);
        const string Cutting = """{"PanelWidth":null,"PanelHeight":null,"MaxTrim":0.08,"Tolerance":10}""";
        await folder.BeginAsync("test", new Dictionary<string, string> { ["pairs"] = "Unordered", ["cutting"] = Cutting });
        await Task.WhenAll(Enumerable.Range(0, pairs).Select(i => AddAsync(folder, i)));
        return run;
    }

    public static string IdOf(int i) => $"p{i:000}~0~0-1";

    public static async Task AddAsync(RunFolder folder, int i, bool grid = true)
    {
        SeedCaption caption = new($"p{i:000}", $"subject {i}");
        string prompted = i == 1 ? Hostile : $"subject {i} at the sea";
        LedgerPrompt prompt = new(
            $"p{i:000}~0",
            caption.Key,
            0,
            new GridPrompt($"a grid of subject {i}", GridLayout.OneByTwo, $"subject {i}", [prompted, $"subject {i} in the Größe of snow"]),
            i);
        await folder.WritePromptsAsync(caption, [prompt]);
        if (grid)
        {
            await folder.WriteGridAsync(prompt.Id, Grid(), "test");
        }
        await folder.WritePairAsync(new LedgerPair(LedgerPair.IdOf(prompt.Id, 0, 1), prompt.Id, 0, 1, Judgement(i)));
    }

    /// <summary>
    /// Two panels of <see cref="PanelWidth"/> × <see cref="PanelHeight"/> around a white gutter of 8 pixels, specked so that they are not
    /// uniform.
    /// </summary>
    public static Picture Grid()
    {
        const int Width = 2 * PanelWidth + 8;
        byte[] pixels = new byte[3 * Width * PanelHeight];
        Array.Fill(pixels, (byte)255);
        for (int y = 0; y < PanelHeight; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                if (x < PanelWidth || x >= PanelWidth + 8)
                {
                    byte speck = (byte)((x + y) % 2 == 0 ? 0 : 80);
                    Span<byte> pixel = pixels.AsSpan(3 * (y * Width + x), 3);
                    (pixel[0], pixel[1], pixel[2]) = x < PanelWidth ? ((byte)220, speck, speck) : (speck, speck, (byte)220);
                }
            }
        }
        return new Picture(Width, PanelHeight, pixels);
    }

    public static PairJudgement Judgement(int i)
    {
        if (i % 3 == 2)
        {
            JudgeVote none = new() { Judge = "stern", Kept = false, Reason = "undecided: no JSON", Attempts = 2 };
            return new PairJudgement { Status = VerdictStatus.Undecided, Kept = false, Reason = none.Reason, Votes = [none] };
        }
        bool kept = i % 3 == 0;
        Verdict verdict = new()
        {
            Subject = i == 1 ? Hostile : "a subject",
            DescriptionA = "red",
            DescriptionB = i == 1 ? Hostile : "blue",
            Differences = kept ? [] : ["the colour", i == 1 ? Hostile : "the size"],
            Same = kept,
            Confidence = kept ? 0.9 : 0.3,
            Flags = kept ? [] : i == 1 ? ["text", "<b>flag</b>"] : ["text"],
        };
        string judge = kept ? "mild" : "stern";
        JudgeVote vote = new() { Judge = judge, Kept = kept, Verdict = verdict, Reason = i == 1 ? Hostile : kept ? "the same" : "not the same", Attempts = 1 };
        return new PairJudgement
        {
            Status = VerdictStatus.Decided,
            Verdict = verdict,
            Kept = kept,
            Confidence = verdict.Confidence,
            Reason = vote.Reason,
            Votes = [vote],
        };
    }

    public RunLedger Read() => RunLedger.OpenToRead(RunFolder.LedgerFile(Folder));

    public async Task<bool?> ReviewOfAsync(int i)
    {
        await using RunLedger ledger = Read();
        return ledger.PairOf(IdOf(i)).Reviewed;
    }

    public async Task ReviewAsync(params (int Pair, bool Kept)[] verdicts)
    {
        await using RunLedger ledger = RunLedger.Open(RunFolder.LedgerFile(Folder));
        foreach ((int pair, bool kept) in verdicts)
        {
            await ledger.WriteReviewAsync(IdOf(pair), kept, DateTimeOffset.UnixEpoch);
        }
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
