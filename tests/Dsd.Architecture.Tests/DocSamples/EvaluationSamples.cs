using Dsd.Curation.Judging;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Evaluation.Benchmarks.ViStoryBench;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Running;
using Dsd.Imaging;
using Dsd.Onnx.Runtime;
using Dsd.Runs;
using Microsoft.Extensions.AI;

namespace Dsd.Architecture.Tests.DocSamples;

/// <summary>What docs/evaluation.md shows, compiled here.</summary>
internal static class EvaluationSamples
{
    public static async Task FoldersAsync()
    {
        using SimilarityMetrics metrics = SimilarityMetrics.Open(["clip-i", "dinov2"], ["encoders/clip", "encoders/dinov2"]);
        IReadOnlyList<EvaluationSystem> systems = EvaluationFolders.Read("references", ["ours", "theirs"]);
        EvaluationResults results = await new EvaluationRun(metrics.Metrics, systems).RunAsync("report");
        ScoreSummary ours = results.Metrics[0].Systems[0].All;
    }

    public static void Encode()
    {
        EncoderExporter.Export("clip-vit-base-patch32", "encoders/clip-b32");
        using PictureEncoder clip = PictureEncoder.Open("encoders/clip-b32", new OnnxRuntimeOptions().On("cuda,cpu"));
        float[][] pictures = clip.Encode([Picture.Load("one.png", Transparency.Dropped), Picture.Load("other.png", Transparency.Dropped)]);
        float[][] texts = clip.EncodeTexts(["a red cat on a sofa"]);
        double clipI = Similarity.Cosine(pictures[0], pictures[1]);
    }

    public static async Task DreamBenchAsync(IChatClient client)
    {
        await using RunFolder kept = RunFolder.Open("scores");                       // ledger, lock and budget, as in a curation run
        ScoreJudge judge = new(client, new ScoreJudgeOptions { Name = "gpt-4o", Store = new LedgerScores(kept.Ledger) });
        DreamBenchScores scores = await DreamBenchJudging.JudgeAsync(DreamBenchFolder.Open("samples/ours"), judge);
        Console.WriteLine($"CP {scores.ConceptPreservation!.Mean:0.000} PF {scores.PromptFollowing!.Mean:0.000} CP·PF {scores.Product:0.000}");
        foreach (JudgedScore none in scores.Failures) { Console.WriteLine($"{none.Item}: {none.Reason}"); }
    }

    public static void Story()
    {
        using PictureEncoder csd = PictureEncoder.Open("encoders/csd");
        StoryRun run = StoryRun.Of("outputs/uno/base/en/20250430_235959");
        StoryStyleScores scores = StoryStyleMeasure.Measure(csd, StoryFolder.Open("ViStory"), StoryOutputs.Open(run.FolderIn("outputs")), run, "bench_results");
    }
}
