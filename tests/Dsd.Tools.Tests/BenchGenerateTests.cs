using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Models.Benchmark;
using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using Dsd.Onnx.Export;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tools.Benchmark;

namespace Dsd.Tools.Tests;

public sealed class BenchGenerateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bench_OfTheEmbeddedModel_MeasuresBothBackends_WhichDrawTheSame()
    {
        string file = _folder.File("bench.json");

        CliResult result = await Cli.Run("bench", "generate", "--generations", "2", "--json", file);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(file));
        JsonElement[] rows = [.. json.RootElement.EnumerateArray()];
        Assert.Equal(["onnx", "torch"], rows.Select(r => r.GetProperty("backend").GetString()));
        Assert.Equal(["float32 portable", "float32"], rows.Select(r => Text(r, "precision")));
        Assert.All(rows, row =>
        {
            Assert.Equal(("tiny", "cpu"), (Text(row, "size"), Text(row, "device")));
            Assert.Equal(
                (28, 2, TinyModel.PanelSize),
                (row.GetProperty("steps").GetInt32(), row.GetProperty("generations").GetInt32(), row.GetProperty("width").GetInt32()));
            double median = row.GetProperty("ms_per_step").GetDouble();
            Assert.InRange(row.GetProperty("ms_per_step_least").GetDouble(), 0.1, median);
            Assert.True(row.GetProperty("ms_per_step_p90").GetDouble() >= median);
            // A generation is its steps and what stands around them.
            Assert.True(1000 * row.GetProperty("generation_s").GetDouble() > 27 * row.GetProperty("ms_per_step_least").GetDouble());
            Assert.True(row.GetProperty("open_s").GetDouble() > 0);
            Assert.True(row.GetProperty("host_memory_bytes").GetInt64() > 10 << 20);
            Assert.Equal(JsonValueKind.Null, row.GetProperty("gpu_memory_bytes").ValueKind);
            Assert.NotEmpty(Text(row, "device_name")!);
            Assert.Matches(@"\d+\.\d+", Text(row, "library"));
        });
        Assert.InRange(rows[0].GetProperty("largest_difference").GetInt32(), 0, 4);
        Assert.InRange(rows[0].GetProperty("mean_difference").GetDouble(), 0, 0.1);
        Assert.True(rows[0].GetProperty("export_s").GetDouble() > 0);
        Assert.True(rows[0].GetProperty("export_bytes").GetInt64() > 10_000_000);
        Assert.All(["export_s", "export_bytes", "largest_difference"], name => Assert.Equal(JsonValueKind.Null, rows[1].GetProperty(name).ValueKind));
    }

    [Fact]
    public async Task Bench_OfAnExport_IsComparedWithWhatTorchSharpDrewBefore()
    {
        string pictures = _folder.File("pictures");
        string onnx = _folder.File("onnx");
        Assert.Equal(ExitCode.Done, (await Cli.Run("export", "--model", "tiny", "--out", onnx)).ExitCode);
        CliResult torch = await Cli.Run("bench", "generate", "--backend", "torch", "--generations", "1", "--pictures", pictures);
        Assert.True(torch.ExitCode == ExitCode.Done, torch.Error);
        string file = _folder.File("bench.json");

        CliResult result = await Cli.Run(
            "bench", "generate", "--backend", "onnx", "--onnx", onnx, "--generations", "1", "--pictures", pictures, "--json", file);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(file));
        JsonElement row = Assert.Single(json.RootElement.EnumerateArray());
        Assert.InRange(row.GetProperty("largest_difference").GetInt32(), 0, 4);
        Assert.Equal(JsonValueKind.Null, row.GetProperty("export_s").ValueKind);
        Assert.Equal(["onnx.png", "torch.png"], Directory.GetFiles(pictures).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        new Imaging.Picture(16, 16, new byte[3 * 16 * 16]).Save(Path.Combine(pictures, "torch.png"));
        (await Cli.Run("bench", "generate", "--backend", "onnx", "--onnx", onnx, "--generations", "1", "--pictures", pictures))
            .AssertFails(ExitCode.Failed, "torch.png", $"{TinyModel.PanelSize} × {TinyModel.PanelSize}");
    }

    [Fact]
    public void Bench_OfARandomModel_DrawsTheSameWithBothBackends()
    {
        // Heads, ropes and levels as FLUX.1-dev's, fewer of each.
        RandomModelShape shape = new()
        {
            Transformer = FluxConfig.Dev with { Conditional = true, NumLayers = 1, NumSingleLayers = 2, NumAttentionHeads = 2, JointAttentionDim = 256 },
            Clip = RandomModelShape.Dev.Clip with { NumHiddenLayers = 2 },
            T5 = RandomModelShape.Dev.T5 with { DModel = 256, DFf = 512, NumLayers = 2, NumHeads = 4 },
            Vae = RandomModelShape.Dev.Vae with { BlockOutChannels = [32, 32, 64, 64], LayersPerBlock = 1 },
        };
        string model = _folder.File("model");
        RandomModel.Write(model, shape, TinyModel.Folder);

        IReadOnlyList<GenerateBenchmarkResult> results = GenerateBenchmark.Run(
            new GenerateBenchmarkOptions
            {
                ExportPrecision = ExportPrecision.Float32,
                ExportTarget = GraphTarget.Portable,
                Size = "between",
                Model = () => model,
                ExportFolder = _folder.File("onnx"),
                Backends = [GenerateBenchmarkOptions.Onnx, GenerateBenchmarkOptions.Torch],
                Device = "cpu",
                Sampling = new DsdOptions { Width = 64, Height = 64, Steps = 4, MaxTextTokens = 512 },
                Generations = 1,
                Pictures = _folder.File("pictures"),
            },
            new Ignored(),
            CancellationToken.None);

        Assert.InRange(results[0].LargestDifference!.Value, 0, 2);
        // Not one colour: the differences would say nothing.
        ReadOnlySpan<byte> pixels = Imaging.Picture.Load(GenerateBenchmark.PictureFile(_folder.File("pictures"), GenerateBenchmarkOptions.Onnx)).Pixels;
        Assert.True(pixels.ToArray().Distinct().Count() > 50);
    }

    [Theory]
    [InlineData("'--work'", "--size", "dev")]
    [InlineData("'--backend' is torch", "--backend", "torch", "--onnx", "x")]
    [InlineData("'--backend' is onnx", "--backend", "onnx", "--precision", "bfloat16")]
    [InlineData("--precision", "--precision", "float8")]
    [InlineData("--generations", "--generations", "0")]
    [InlineData("--device", "--device", "tpu")]
    public async Task Bench_OfWhatCannotBe_IsWrongUse(string said, params string[] options) =>
        (await Cli.Run(["bench", "generate", .. options])).AssertFails(ExitCode.WrongUse, said);

    private static string? Text(JsonElement row, string name) => row.GetProperty(name).GetString();

    private sealed class Ignored : IProgress<string>
    {
        public void Report(string value)
        {
        }
    }
}
