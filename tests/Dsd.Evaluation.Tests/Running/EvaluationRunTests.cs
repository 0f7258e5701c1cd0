using System.Text.Json;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Running;
using Dsd.Evaluation.Tests.Encoders;
using Dsd.Imaging;
using ParquetSharp;

namespace Dsd.Evaluation.Tests.Running;

public sealed class EvaluationRunTests(ExportedEncoders encoders) : IClassFixture<ExportedEncoders>
{
    private const double Rounding = 1e-6;

    [Fact]
    public async Task IdenticalFolders_Give1InEverySimilarity_AndShuffledOnesLess_WithIntervalsApart()
    {
        using WorldFolders world = new();
        string[] generated = [world.Shifted("same", 0), world.Shifted("shuffled", 1)];
        IReadOnlyList<EvaluationSystem> systems = EvaluationFolders.Read(world.References, generated, world.Prompts);
        string[] folders = [.. new[] { "clip", "dino", "dinov2", "csd" }.Select(name => encoders[name].Folder.Path)];
        using SimilarityMetrics metrics = SimilarityMetrics.Open(SimilarityMetrics.Known, folders);

        EvaluationResults results = await new EvaluationRun(metrics.Metrics, systems).RunAsync(world.At("out"));

        Assert.Equal(SimilarityMetrics.Known, results.Metrics.Select(m => m.Metric));
        Assert.All(results.Metrics.Where(m => m.Metric is not (MetricNames.ClipT or MetricNames.CopyPaste)), metric =>
        {
            (ScoreSummary same, ScoreSummary shuffled) = (metric.Systems[0].All, metric.Systems[1].All);
            Assert.Equal((12, 24, 0), (same.Subjects, same.Pictures, same.Without));
            Assert.InRange(same.Mean!.Value, 1 - Rounding, 1);
            Assert.InRange(same.Low!.Value, 1 - Rounding, same.High!.Value);
            Assert.True(shuffled.High < same.Low - Rounding, $"{metric.Metric}: {shuffled}");
            Assert.True(metric.Differences.Single().Difference.High < -Rounding);
            Assert.Equal(["even", "odd"], metric.Systems[1].Categories.Keys);
            Assert.All(metric.Systems[1].Categories.Values, c => Assert.Equal((6, 12), (c.Subjects, c.Pictures)));
        });
        MetricResult copied = results.Metrics.Single(m => m.Metric == MetricNames.CopyPaste);
        Assert.True(copied.Systems[0].All.Low > 0.5, $"{copied.Systems[0].All}");
        Assert.Equal(copied.Systems[1].All.Mean!.Value - copied.Systems[0].All.Mean!.Value, copied.Differences[0].Difference.Mean!.Value, 9);
    }

    [Fact]
    public async Task TheScores_AreTheEncodersCosines()
    {
        using WorldFolders world = new(3);
        IReadOnlyList<EvaluationSystem> systems = EvaluationFolders.Read(world.References, [world.Shifted("shuffled", 1)], world.Prompts);
        PictureEncoder clip = encoders["clip"];
        using SimilarityMetrics metrics = SimilarityMetrics.Open([MetricNames.ClipI, MetricNames.ClipT, MetricNames.CopyPaste], [clip.Folder.Path]);

        await new EvaluationRun(metrics.Metrics, systems).RunAsync(world.At("out"));

        float[][] pictures = clip.Encode(world.Pictures);
        float[] text = clip.EncodeTexts(["creature 0 <b>"])[0];
        double cosine = Similarity.Cosine(pictures[0], pictures[1]);
        double mirrored = Similarity.Cosine(clip.Encode([world.Pictures[0].Mirror()])[0], pictures[1]);
        Dictionary<string, double> found = Table(world.At("out")).Where(r => r.Picture == "even/subject00/0").ToDictionary(r => r.Metric, r => r.Score!.Value);
        Assert.Equal(cosine, found[MetricNames.ClipI], 5);
        Assert.Equal(Similarity.Cosine(pictures[1], text), found[MetricNames.ClipT], 5);
        Assert.Equal(Similarity.CopyPaste(cosine, mirrored), found[MetricNames.CopyPaste], 2);
    }

    [Fact]
    public async Task ASecondRun_ComputesWhatIsNewAlone()
    {
        using WorldFolders world = new(4);
        string folder = world.Shifted("system", 1);
        CountingMetric first = new();
        await Run(world, first);
        Assert.Equal(8, first.Asked.Count);

        CountingMetric again = new();
        string before = File.ReadAllText(Path.Combine(world.At("out"), EvaluationRun.ResultsFile));
        await Run(world, again);
        Assert.Empty(again.Asked);
        Assert.Equal(before, File.ReadAllText(Path.Combine(world.At("out"), EvaluationRun.ResultsFile)));

        new Picture(2, 2, [.. Enumerable.Repeat((byte)51, 12)]).Save(Path.Combine(folder, "odd", "subject01", "0.png"));
        CountingMetric changed = new();
        EvaluationResults results = await Run(world, changed);
        Assert.Equal(["odd/subject01/0"], changed.Asked);
        Assert.Contains(Table(world.At("out")), r => r.Picture == "odd/subject01/0" && r.Score == 0.2);

        CountingMetric other = new() { Fingerprint = "first-pixel 2" };
        await Run(world, other);
        Assert.Equal(8, other.Asked.Count);
    }

    [Fact]
    public async Task ARunThatWasCutOff_GoesOn()
    {
        using WorldFolders world = new(4);
        world.Shifted("system", 1);
        using CancellationTokenSource cancel = new();
        CountingMetric cut = null!;
        cut = new CountingMetric
        {
            Before = () =>
            {
                if (cut.Asked.Count == 4)
                {
                    cancel.Cancel();
                }
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Run(world, cut, cancel.Token));
        Assert.False(File.Exists(Path.Combine(world.At("out"), EvaluationRun.ResultsFile)));
        string scores = Path.Combine(world.At("out"), "scores.jsonl");
        // As after the end of the process in the middle of a line.
        File.WriteAllText(scores, File.ReadAllText(scores)[..^9]);

        List<string> warnings = [];
        CountingMetric rest = new();
        await Run(world, rest, warnings: warnings);

        Assert.Equal(5, rest.Asked.Count);
        Assert.Contains("1 lines cannot be read", Assert.Single(warnings));
        CountingMetric last = new();
        await Run(world, last);
        Assert.Empty(last.Asked);
    }

    [Fact]
    public async Task TheReport_HoldsItsPictures_AndNamesNoOtherFile()
    {
        using WorldFolders world = new(6);
        string[] generated = [world.Shifted("a<b>", 1), world.Shifted("other", 2)];
        IReadOnlyList<EvaluationSystem> systems = EvaluationFolders.Read(world.References, generated, world.Prompts);

        await new EvaluationRun([new CountingMetric()], systems, new EvaluationOptions { Examples = 2 }).RunAsync(world.At("out"));

        string html = File.ReadAllText(Path.Combine(world.At("out"), EvaluationRun.ReportFile));
        Assert.Equal(2 * 2 * 2 * 2, html.Split("<img ").Length - 1);
        Assert.Equal(html.Split("<img ").Length, html.Split("src=\"data:image/jpeg;base64,").Length);
        Assert.DoesNotContain("href=", html);
        Assert.DoesNotContain("<b>:", html);
        Assert.Contains("creature 0 &lt;b&gt;", html);
        Assert.Contains("<h3>a&lt;b&gt;</h3>", html);
        Assert.Equal(2, html.Split("<svg ").Length - 1);
        Assert.Contains("<th>even</th><th>odd</th>", html);
    }

    [Fact]
    public async Task TheFiles_HoldEveryScore()
    {
        using WorldFolders world = new(4);
        IReadOnlyList<EvaluationSystem> systems = EvaluationFolders.Read(world.References, [world.Shifted("one", 1), world.Shifted("two", 2)]);
        List<string> warnings = [];

        await new EvaluationRun([new CountingMetric(), new CountingMetric { Name = "of-prompt", NeedsPrompt = true }], systems) { Warn = warnings.Add }
            .RunAsync(world.At("out"));

        (string System, string? Category, string Subject, string Picture, string Metric, double? Score)[] rows = Table(world.At("out"));
        Assert.Equal(2 * 8 * 2, rows.Length);
        Assert.All(rows, r => Assert.Equal((r.Metric == "of-prompt", r.Subject.Split('/')[0]), (r.Score is null, r.Category)));
        Assert.Contains("16 of 16 pictures lack a score", Assert.Single(warnings));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(world.At("out"), EvaluationRun.ResultsFile)));
        JsonElement metrics = json.RootElement.GetProperty("metrics");
        double mean = rows.Where(r => r is { System: "one", Metric: "first-pixel" }).Average(r => r.Score!.Value);
        Assert.Equal(mean, metrics[0].GetProperty("systems")[0].GetProperty("all").GetProperty("mean").GetDouble(), 9);
        Assert.Equal(JsonValueKind.Null, metrics[1].GetProperty("systems")[0].GetProperty("all").GetProperty("mean").ValueKind);
    }

    [Fact]
    public async Task AScoreOutOfRange_IsRefused()
    {
        using WorldFolders world = new(2);
        world.Shifted("system", 1);
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(() => Run(world, new CountingMetric { Always = 1.5 }));
        Assert.Contains("'first-pixel': expected 4 scores of 0 to 1", e.Message);
    }

    [Fact]
    public async Task TwoRunsAtOnce_IntoOneFolder_AreRefused()
    {
        using WorldFolders world = new(2);
        world.Shifted("system", 1);
        Exception? second = null;
        await Run(world, new CountingMetric { Before = () => second = Record.Exception(() => Run(world, new CountingMetric()).GetAwaiter().GetResult()) });
        Assert.Contains("another process", Assert.IsType<IOException>(second).Message);
    }

    [Fact]
    public void WhatMetricsNeed_IsSaid()
    {
        string clip = encoders["clip"].Folder.Path;
        Assert.Contains("'dino' needs an encoder of kind Dino", Refused([MetricNames.Dino], [clip]));
        Assert.Contains("are both Clip", Refused([MetricNames.ClipI], [clip, clip]));
        Assert.Contains("'fid'", Refused(["fid"], [clip]));
        Assert.Contains("'clip-i'", Refused([MetricNames.ClipI, MetricNames.ClipI], [clip]));
        Assert.Contains("found none", Refused([], [clip]));

        static string Refused(string[] names, string[] folders) =>
            Assert.Throws<ArgumentException>(() => SimilarityMetrics.Open(names, folders)).Message;
    }

    private static Task<EvaluationResults> Run(
        WorldFolders world, IPairMetric metric, CancellationToken cancel = default, List<string>? warnings = null) =>
        new EvaluationRun([metric], EvaluationFolders.Read(world.References, [world.At("system")]), new EvaluationOptions { BatchSize = 4, Examples = 0 })
        {
            Warn = warnings is null ? null : warnings.Add,
        }.RunAsync(world.At("out"), cancel);

    private static (string System, string? Category, string Subject, string Picture, string Metric, double? Score)[] Table(string folder)
    {
        using ParquetFileReader file = new(Path.Combine(folder, EvaluationRun.TableFile));
        using RowGroupReader group = file.RowGroup(0);
        int rows = (int)group.MetaData.NumRows;
        string?[] Texts(int column) => group.Column(column).LogicalReader<string?>().ReadAll(rows);
        (string?[] systems, string?[] categories, string?[] subjects) = (Texts(0), Texts(1), Texts(2));
        (string?[] pictures, string?[] metrics) = (Texts(3), Texts(5));
        double?[] scores = group.Column(6).LogicalReader<double?>().ReadAll(rows);
        return [.. Enumerable.Range(0, rows).Select(i => (systems[i]!, categories[i], subjects[i]!, pictures[i]!, metrics[i]!, scores[i]))];
    }
}
