using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Models.Benchmark;
using Dsd.Models.Sampling;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Tiny;
using Dsd.Tools.Benchmark;
using Spectre.Console;
using static TorchSharp.torch;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd bench generate</c>: whole generations with ONNX Runtime and TorchSharp, from the export to the picture.</summary>
internal sealed class BenchGenerateCommand
{
    private const string DevBytes = "33 GB for the model, and as much again for each 16 bits of the export's precision";

    // The transformer, the autoencoder and two text encoders.
    private const int Parts = 4;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    private static readonly Dictionary<string, ScalarType> Types = new()
    {
        ["float32"] = ScalarType.Float32,
        ["bfloat16"] = ScalarType.BFloat16,
        ["float16"] = ScalarType.Float16,
    };

    private readonly Terminal _terminal;
    private readonly Option<string> _size = new("--size")
    {
        Description = "tiny: the embedded student; dev: FLUX.1-dev with a condition, random weights, pictures of 512 × 512 pixels.",
        HelpName = "SIZE",
        DefaultValueFactory = _ => BenchModel.Tiny,
    };
    private readonly Option<string> _device = DeviceOption.Create();
    private readonly Option<string?> _backend = new("--backend") { Description = "onnx or torch; both, one after the other, if left out.", HelpName = "NAME" };
    private readonly Option<string> _precision = new("--precision")
    {
        Description = $"{string.Join(", ", Types.Keys)}: the type of TorchSharp's weights and computation; float32 if left out.",
        HelpName = "TYPE",
        DefaultValueFactory = _ => "float32",
    };
    private readonly ExportFormatOptions _format = new("--export-precision");
    private readonly Option<string?> _onnx = new("--onnx")
    {
        Description = "An export of the model, as 'dsd export' writes it, in place of one of its own.",
        HelpName = "FOLDER",
    };
    private readonly Option<string?> _work = new("--work")
    {
        Description = "A folder for the model and its export, which stay there; the model is used again. A scratch folder that goes, if left out.",
        HelpName = "FOLDER",
    };
    private readonly Option<string?> _memory = new("--memory")
    {
        Description = "What of ONNX Runtime's components stays open; resident if left out.",
        HelpName = string.Join('|', OnnxModelOptions.Modes.Keys),
    };
    private readonly Option<bool> _graphs = new("--cuda-graphs") { Description = "ONNX Runtime records a step on the GPU and plays it again." };
    private readonly Option<int> _generations = new Option<int>("--generations")
    {
        Description = "Generations of 28 steps to measure, 1 to 1000; 3 if left out.",
        HelpName = "N",
        DefaultValueFactory = _ => 3,
    }.Between(1, 1000);
    private readonly Option<string?> _pictures = new("--pictures")
    {
        Description = "A folder for onnx.png and torch.png. Where TorchSharp is not measured, ONNX Runtime's picture is compared with the torch.png of an "
            + "earlier call.",
        HelpName = "FOLDER",
    };
    private readonly Option<string?> _json = new("--json") { Description = "A file for the figures, one object for each backend.", HelpName = "FILE" };

    private BenchGenerateCommand(Terminal terminal) => _terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        BenchGenerateCommand bench = new(terminal);
        bench._size.AcceptOnlyFromAmong(BenchModel.Tiny, BenchModel.Dev);
        bench._backend.AcceptOnlyFromAmong(GenerateBenchmarkOptions.Onnx, GenerateBenchmarkOptions.Torch);
        bench._precision.AcceptOnlyFromAmong([.. Types.Keys]);
        bench._memory.AcceptOnlyFromAmong([.. OnnxModelOptions.Modes.Keys]);
        Command command = new("generate", "Time whole generations with ONNX Runtime and TorchSharp: export, opening, steps, pictures, memory.")
        {
            bench._size, bench._device, bench._backend, bench._precision, bench._format.Precision,
            bench._format.Provider, bench._onnx, bench._work, bench._memory, bench._graphs, bench._generations, bench._pictures, bench._json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            await Task.Run(() => bench.Run(parsed, cancel), cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private void Run(ParseResult parsed, CancellationToken cancel)
    {
        string size = parsed.GetRequiredValue(_size);
        string[] backends = parsed.GetValue(_backend) is { } one ? [one] : [GenerateBenchmarkOptions.Onnx, GenerateBenchmarkOptions.Torch];
        bool torch = backends.Contains(GenerateBenchmarkOptions.Torch);
        string? onnx = parsed.GetValue(_onnx);
        string? work = parsed.GetValue(_work);
        bool gpu = parsed.GetRequiredValue(_device) != "cpu";
        Check(parsed, size, torch, onnx, work);
        using ScratchFolder? scratch = work is null ? new ScratchFolder("bench") : null;
        string place = work ?? scratch!.Path;
        GenerateBenchmarkOptions options = CheckedOptions.Build(() => new GenerateBenchmarkOptions
        {
            Size = size,
            Model = size == BenchModel.Tiny ? () => TinyModel.Folder : () => DevModel(place, cancel),
            AdapterFile = size == BenchModel.Tiny ? TinyModel.AdapterFile : null,
            OnnxFolder = onnx,
            ExportFolder = Path.Combine(place, "onnx"),
            // What is fast where it is drawn.
            ExportPrecision = parsed.GetValue(_format.Precision) ?? (gpu ? ExportPrecision.Float16 : ExportPrecision.Float32),
            ExportTarget = parsed.GetValue(_format.Provider) ?? (gpu ? GraphTarget.Cuda : GraphTarget.Portable),
            Memory = parsed.GetValue(_memory) is { } memory ? OnnxModelOptions.Modes[memory] : OnnxMemoryMode.Resident,
            CudaGraphs = parsed.GetValue(_graphs),
            Backends = backends,
            Device = parsed.GetRequiredValue(_device),
            Precision = Types[parsed.GetRequiredValue(_precision)],
            // One pass of the transformer a step: true guidance would take up to three.
            Sampling = size == BenchModel.Tiny
                ? new DsdOptions { Width = TinyModel.PanelSize, Height = TinyModel.PanelSize }
                : new DsdOptions { MaxTextTokens = 512 },
            Generations = parsed.GetValue(_generations),
            Pictures = parsed.GetValue(_pictures),
        });
        IReadOnlyList<GenerateBenchmarkResult> results = GenerateBenchmark.Run(options, new Line(_terminal), cancel);
        _terminal.Results.Write(Table(results));
        if (parsed.GetValue(_json) is { } file)
        {
            AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, results, Json));
        }
    }

    private void Check(ParseResult parsed, string size, bool torch, string? onnx, string? work)
    {
        if (torch)
        {
            DeviceOption.RequirePresent(parsed.GetRequiredValue(_device));
        }
        else if (parsed.GetResult(_precision) is { Implicit: false })
        {
            throw new UsageException("'--precision' is TorchSharp's, but '--backend' is onnx. That of an export is '--export-precision'.");
        }
        if ((onnx is not null || parsed.GetValue(_backend) == GenerateBenchmarkOptions.Torch)
            && (parsed.GetValue(_format.Precision) is not null || parsed.GetValue(_format.Provider) is not null))
        {
            throw new UsageException("'--export-precision' and '--provider' are for an export that is written, but none is.");
        }
        Option[] ofOnnx = [_onnx, _memory, _graphs];
        if (parsed.GetValue(_backend) == GenerateBenchmarkOptions.Torch && ofOnnx.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } lonely)
        {
            throw new UsageException($"'{lonely.Name}' is for ONNX Runtime, but '--backend' is torch.");
        }
        if (parsed.GetValue(_graphs) && parsed.GetRequiredValue(_device) == "cpu")
        {
            throw new UsageException($"'{_graphs.Name}' is for a GPU, but '--device' is cpu.");
        }
        bool writes = size == BenchModel.Dev && (torch || onnx is null);
        if (writes && work is null)
        {
            throw new UsageException($"'--size {BenchModel.Dev}' writes {DevBytes}: say where with '--work'.");
        }
        if (work is not null)
        {
            WritablePlace.RequireFolder(work);
        }
        if (parsed.GetValue(_json) is { } file)
        {
            OutputFile.CheckFile(file);
        }
        if (parsed.GetValue(_pictures) is { } pictures)
        {
            WritablePlace.RequireFolder(pictures);
        }
    }

    /// <summary>The model of FLUX.1-dev's size, written now if it is not there. It appears whole or not at all, so what is there is whole.</summary>
    private string DevModel(string place, CancellationToken cancel)
    {
        string folder = Path.Combine(place, "flux-dev-random");
        if (!Directory.Exists(folder))
        {
            _terminal.Track(
                "writing random weights", stages => RandomModel.Write(folder, RandomModelShape.Dev, TinyModel.Folder, cancel, new PartNames(stages, Parts)));
        }
        return folder;
    }

    private static Table Table(IReadOnlyList<GenerateBenchmarkResult> results)
    {
        Table table = new() { Border = TableBorder.Simple };
        foreach (string heading in new[]
                 {
                     "backend", "precision", "export s", "open s", "ms a step", "least", "90 %", "generation s", "before, after s", "memory GiB", "GPU GiB",
                     "max, mean difference",
                 })
        {
            table.AddColumn(new TableColumn(heading) { Alignment = heading == "backend" ? Justify.Left : Justify.Right });
        }
        foreach (GenerateBenchmarkResult r in results)
        {
            table.AddRow(
                r.Backend,
                r.Precision,
                Number(r.ExportS, "0.0"),
                Number(r.OpenS, "0.00"),
                Number(r.MsPerStep, "0.00"),
                Number(r.MsPerStepLeast, "0.00"),
                Number(r.MsPerStepP90, "0.00"),
                Number(r.GenerationS, "0.000"),
                $"{Number(r.BeforeStepsS, "0.000")}, {Number(r.AfterStepsS, "0.000")}",
                Number(r.HostMemoryBytes / (double)(1 << 30), "0.00"),
                Number(r.GpuMemoryBytes / (double)(1 << 30), "0.00"),
                r.LargestDifference is { } largest ? $"{largest}, {Number(r.MeanDifference, "0.000")}" : "–");
        }
        return table;
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "–";

    private sealed class Line(Terminal terminal) : IProgress<string>
    {
        public void Report(string value) => terminal.Error.WriteLine(value);
    }
}
