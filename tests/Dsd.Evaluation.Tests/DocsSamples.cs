using System.Text.RegularExpressions;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Gates;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Running;
using Dsd.Evaluation.Tests.Encoders;
using Dsd.Evaluation.Tests.Running;
using Dsd.Imaging;
using Dsd.Onnx.Runtime;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests;

/// <summary>The code that docs/evaluation.md and docs/curation.md show, compiled and run.</summary>
public sealed class DocsSamples(ExportedEncoders encoders) : IClassFixture<ExportedEncoders>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("evaluation.md", 0)]
    [InlineData("evaluation.md", 1)]
    [InlineData("curation.md", 0)]
    public void TheDocs_ShowCodeThatIsCompiled(string page, int block)
    {
        string docs = File.ReadAllText(Path.Combine(Fixtures.Repository, "docs", page));
        string source = File.ReadAllText(Path.Combine(Fixtures.Repository, "tests", "Dsd.Evaluation.Tests", "DocsSamples.cs"));
        // Paths are the docs' own, below a folder of the test's.
        string compiled = Regex.Replace(source.Split($"// docs/{page}\n")[1 + 2 * block], @"\bAt\((""[^""]+"")\)", "$1");
        Assert.Contains(docs.Split("```csharp")[1..], shown => Lines(shown.Split("```")[0]).SequenceEqual(Lines(compiled)));
    }

    [Fact]
    public void Encoders_InCode()
    {
        Copy(EvalFixtures.Own("clip"), "clip-vit-base-patch32");
        Pngs.Noisy(40, 30).Save(At("one.png"));
        Pngs.Noisy(30, 40).Save(At("other.png"));

        // docs/evaluation.md
        EncoderExporter.Export(At("clip-vit-base-patch32"), At("encoders/clip-b32"));
        using PictureEncoder clip = PictureEncoder.Open(At("encoders/clip-b32"), new OnnxRuntimeOptions().On("cuda,cpu"));
        float[][] pictures = clip.Encode([Picture.Load(At("one.png"), Transparency.Dropped), Picture.Load(At("other.png"), Transparency.Dropped)]);
        float[][] texts = clip.EncodeTexts(["a red cat on a sofa"]);
        double clipI = Similarity.Cosine(pictures[0], pictures[1]);
        // docs/evaluation.md

        Assert.InRange(clipI, -1, 1);
        Assert.Equal(clip.Folder.Width, texts[0].Length);
    }

    [Fact]
    public async Task ARun_InCode()
    {
        using WorldFolders world = new(4);
        Copy(world.References, "references");
        Copy(world.Shifted("ours", 0), "ours");
        Copy(world.Shifted("theirs", 1), "theirs");
        Copy(encoders["clip"].Folder.Path, "encoders/clip");
        Copy(encoders["dinov2"].Folder.Path, "encoders/dinov2");

        // docs/evaluation.md
        using SimilarityMetrics metrics = SimilarityMetrics.Open(["clip-i", "dinov2"], [At("encoders/clip"), At("encoders/dinov2")]);
        IReadOnlyList<EvaluationSystem> systems = EvaluationFolders.Read(At("references"), [At("ours"), At("theirs")]);
        EvaluationResults results = await new EvaluationRun(metrics.Metrics, systems).RunAsync(At("report"));
        ScoreSummary ours = results.Metrics[0].Systems[0].All;
        // docs/evaluation.md

        Assert.Equal(1, ours.Mean!.Value, 6);
    }

    [Fact]
    public async Task AGate_InCode()
    {
        Copy(encoders["dinov2"].Folder.Path, "encoders/dinov2");
        IPairJudge judge = new Unasked();

        // docs/curation.md
        using EmbeddingGate gate = EmbeddingGate.Open(At("encoders/dinov2"));
        IPairJudge gated = new GatedJudge(gate, new GateBounds { Least = 0.4, Most = 0.98 }, judge);
        // docs/curation.md

        Picture same = Pngs.Noisy(40, 30);
        Assert.Equal(VerdictStatus.NearCopy, (await gated.JudgeAsync(same, same)).Status);
    }

    private static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private string At(string path) => _folder.File(path);

    private void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(At(to), Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private sealed class Unasked : IPairJudge
    {
        public string Name => "unasked";

        public Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default) => throw new InvalidOperationException();
    }
}
