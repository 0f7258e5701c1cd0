using System.Text.Json;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Testing.Runs;

/// <summary>A run's folder with small grids and verdicts in it, in a temporary folder.</summary>
public sealed class TestRun : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("dsd-formats-").FullName;

    /// <summary>The run's folder.</summary>
    public string Folder => Path("run");

    /// <summary>A path beside the run's folder.</summary>
    public string Path(params string[] parts) => System.IO.Path.Combine([_root, .. parts]);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>Writes grids of two panels side by side, the keys of their captions given, and for each a judgement.</summary>
    public static async Task<TestRun> Of(PairChoice choice, params (string Key, PairJudgement Judgement)[] grids)
    {
        TestRun test = new();
        await using RunFolder run = RunFolder.Open(test.Folder);
        await run.BeginAsync(
            "test", new Dictionary<string, string> { ["pairs"] = choice.ToString(), ["cutting"] = JsonSerializer.Serialize(new PanelCutterOptions()) });
        foreach ((string key, PairJudgement judgement) in grids)
        {
            string id = $"{key}~0";
            GridPrompt prompt = new($"a grid of {key}", GridLayout.OneByTwo, key, [$"{key} at home", $"{key} at sea"]);
            await run.WritePromptsAsync(new SeedCaption(key, $"caption of {key}"), [new LedgerPrompt(id, key, 0, prompt, 1)]);
            await run.WriteGridAsync(id, Grid(key), "test");
            await run.WritePairAsync(new LedgerPair(LedgerPair.IdOf(id, 0, 1), id, 0, 1, judgement));
        }
        return test;
    }

    /// <summary>Ordered pairs that are all kept.</summary>
    public static Task<TestRun> Of(int grids) => Of(PairChoice.Ordered, [.. Enumerable.Range(0, grids).Select(i => ($"k{i:000}", Kept()))]);

    /// <summary>A grid of two noisy panels, which differ from each other and from those of other keys.</summary>
    public static Picture Grid(string key, int side = 40)
    {
        byte[] pixels = new byte[3 * 2 * side * side];
        new Random(key.Aggregate(17, (hash, c) => unchecked((hash * 31) + c))).NextBytes(pixels);
        return new Picture(2 * side, side, pixels);
    }

    /// <summary>The panels of a key's grid.</summary>
    public static IReadOnlyList<Picture> Panels(string key) => PanelCutter.Cut(Grid(key), GridLayout.OneByTwo);

    public static PairJudgement Kept() => Judged(kept: true, differences: ["one has a \"scarf\""], flags: ["same_pose", "text"]);

    public static PairJudgement Rejected() => Judged(kept: false, differences: [], flags: []);

    public static PairJudgement Undecided() => new()
    {
        Status = VerdictStatus.Undecided,
        Kept = false,
        Reason = "no answer could be read",
        Votes = [new JudgeVote { Judge = "cheap", Kept = false, Reason = "no JSON", Attempts = 2 }],
    };

    private static PairJudgement Judged(bool kept, string[] differences, string[] flags)
    {
        Verdict verdict =
            new()
            {
                Subject = "a fox — größer",
                DescriptionA = "the first",
                DescriptionB = "the second",
                Differences = differences,
                Same = kept,
                Confidence = 0.875,
                Flags = flags,
            };
        return new PairJudgement
        {
            Status = VerdictStatus.Decided,
            Kept = kept,
            Confidence = 0.875,
            Verdict = verdict,
            Reason = kept ? "kept: the same" : "rejected: not the same",
            Votes =
            [
                new JudgeVote
                {
                    Judge = "cheap",
                    Model = "small-1",
                    Kept = !kept,
                    Verdict = verdict with { Same = !kept, Confidence = 0.5 },
                    Reason = "unsure",
                    Attempts = 1,
                },
                new JudgeVote { Judge = "dear", Model = "large-2", Kept = kept, Verdict = verdict, Reason = "sure", Attempts = 1 },
            ],
        };
    }
}
