using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Models.Benchmark;
using Dsd.Onnx.Export;
using Dsd.Tiny;
using Microsoft.ML.OnnxRuntime;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd bench flux</c>: a step of the transformer with all optimisations, with each one switched off, and with none.</summary>
internal static class BenchFluxCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create(Terminal terminal)
    {
        Option<string> size = BenchModel.CreateSize();
        Option<string> device = DeviceOption.Create();
        Option<string?> json = new("--json") { Description = "A file for the figures, one object for each variant.", HelpName = "FILE" };
        Option<double> seconds = new Option<double>("--seconds")
        {
            Description = "Seconds for each of three rounds of a variant, 0.01 to 60; 2 if left out.",
            HelpName = "S",
            DefaultValueFactory = _ => 2,
        }.Between(0.01, 60);
        Option<bool> float8 = new(
            "--float8")
        { Description = "Also time all optimisations with weights in eight bits, on a GPU of compute capability 9.0 or newer." };
        Command command = new("flux", "Time a step of the FLUX transformer, with each optimisation switched off one at a time.")
        {
            size,
            device,
            json,
            seconds,
            float8,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            string name = parsed.GetRequiredValue(device);
            DeviceOption.RequirePresent(name);
            if (parsed.GetValue(float8) && name == "cpu")
            {
                throw new UsageException("'--float8' needs a GPU, but '--device' is cpu.");
            }
            if (parsed.GetValue(json) is { } file)
            {
                OutputFile.CheckFile(file);
            }
            Device where = new(name);
            FluxBenchmarkOptions options = BenchModel.Flux(parsed.GetRequiredValue(size), where) with
            {
                Round = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                Float8 = parsed.GetValue(float8),
            };
            await Task.Run(() => Run(options, parsed.GetValue(json), terminal, cancel), cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Run(FluxBenchmarkOptions options, string? json, Terminal terminal, CancellationToken cancel)
    {
        using OnnxStep onnx = new();
        FluxBenchmarkVariant[] others = options.ModelFolder is not null && options.Device!.type == DeviceType.CPU ? [new("onnx", onnx.Prepare)] : [];
        IReadOnlyList<FluxBenchmarkResult> results = FluxBenchmark.Run(options, others, new Line(terminal), cancel);
        terminal.Results.Write(Table(results));
        if (json is not null)
        {
            AtomicFile.Write(json, stream => JsonSerializer.Serialize(stream, results, Json));
        }
    }

    private static Table Table(IReadOnlyList<FluxBenchmarkResult> results)
    {
        Table table = new() { Border = TableBorder.Simple };
        foreach (string heading in new[] { "variant", "ms a step", "TFLOP/s", "of matmul", "memory GiB", "max error" })
        {
            table.AddColumn(new TableColumn(heading) { Alignment = heading == "variant" ? Justify.Left : Justify.Right });
        }
        foreach (FluxBenchmarkResult r in results)
        {
            table.AddRow(
                r.Variant,
                r.MsPerStep.ToString("0.00", CultureInfo.InvariantCulture),
                r.Tflops.ToString(r.Tflops < 10 ? "0.000" : "0.0", CultureInfo.InvariantCulture),
                r.ShareOfMatmul.ToString("0.0 %", CultureInfo.InvariantCulture),
                (r.PeakMemoryBytes / (double)(1 << 30)).ToString("0.00", CultureInfo.InvariantCulture),
                r.MaxAbsError.ToString("0.0E+0", CultureInfo.InvariantCulture));
        }
        return table;
    }

    private sealed class Line(Terminal terminal) : IProgress<FluxBenchmarkResult>
    {
        public void Report(FluxBenchmarkResult value) =>
            terminal.Error.WriteLine(FormattableString.Invariant($"{value.Variant}: {value.MsPerStep:0.00} ms a step"));
    }

    /// <summary>The same step of the embedded teacher by ONNX Runtime, from an export of its own that goes with it.</summary>
    private sealed class OnnxStep : IDisposable
    {
        private readonly ScratchFolder _scratch = new("bench");
        private InferenceSession? _session;

        public Func<float[]> Prepare(FluxBenchmarkInputs inputs)
        {
            string folder = Path.Combine(_scratch.Path, "models");
            OnnxExporter.Export(TinyModel.Folder, null, folder, new OnnxExportOptions
            {
                FrameWidth = 2 * TinyModel.PanelSize,
                FrameHeight = TinyModel.PanelSize,
            });
            _session = new InferenceSession(Path.Combine(folder, "transformer", "model.onnx"));
            FluxBenchmarkOptions o = inputs.Options;
            (long image, long text) = (o.Rows * o.Columns, o.TextTokens);
            Dictionary<string, OrtValue> values = new()
            {
                ["hidden_states"] = OrtValue.CreateTensorValueFromMemory(inputs.Latents, [1, image, o.Config.InChannels]),
                ["encoder_hidden_states"] = OrtValue.CreateTensorValueFromMemory(inputs.Text, [1, text, o.Config.JointAttentionDim]),
                ["pooled_projections"] = OrtValue.CreateTensorValueFromMemory(inputs.Pooled, [1, o.Config.PooledProjectionDim]),
                ["timestep"] = OrtValue.CreateTensorValueFromMemory(new[] { inputs.Sigma }, [1]),
                ["guidance"] = OrtValue.CreateTensorValueFromMemory(new[] { inputs.Guidance ?? 0 }, [1]),
                ["img_ids"] = OrtValue.CreateTensorValueFromMemory(Positions(o.Rows, o.Columns), [image, 3]),
                ["txt_ids"] = OrtValue.CreateTensorValueFromMemory(new float[3 * text], [text, 3]),
            };
            return () =>
            {
                using RunOptions run = new();
                using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(run, values, _session.OutputNames);
                return outputs[0].GetTensorDataAsSpan<float>().ToArray();
            };
        }

        public void Dispose()
        {
            _session?.Dispose();
            _scratch.Dispose();
        }

        private static float[] Positions(int rows, int columns) =>
            [.. Enumerable.Range(0, rows).SelectMany(row => Enumerable.Range(0, columns).SelectMany(column => new[] { 0f, row, column }))];
    }
}
