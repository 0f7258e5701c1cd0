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

    /// <summary>
    /// The same step of the embedded teacher by ONNX Runtime, from an export of its own that goes with it. Modulation and rotary angles are made once, as they
    /// are for a generation.
    /// </summary>
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
            Dictionary<string, OrtValue> values = new()
            {
                ["hidden_states"] = Tensor(inputs.Latents, 1, (long)o.Rows * o.Columns, o.Config.InChannels),
                ["encoder_hidden_states"] = Tensor(inputs.Text, 1, o.TextTokens, o.Config.JointAttentionDim),
            };
            Modulate(folder, inputs, values);
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

        private void Modulate(string folder, FluxBenchmarkInputs inputs, Dictionary<string, OrtValue> values)
        {
            FluxBenchmarkOptions o = inputs.Options;
            long image = (long)o.Rows * o.Columns;
            using InferenceSession modulation = new(Path.Combine(folder, "modulation", "model.onnx"));
            Dictionary<string, OrtValue> given = new()
            {
                ["pooled_projections"] = Tensor(inputs.Pooled, 1, o.Config.PooledProjectionDim),
                ["timestep"] = Tensor([inputs.Sigma], 1),
                ["guidance"] = Tensor([inputs.Guidance ?? 0], 1),
                ["img_ids"] = Tensor(Positions(o.Rows, o.Columns), image, 3),
                ["txt_ids"] = Tensor(new float[3 * o.TextTokens], o.TextTokens, 3),
            };
            using RunOptions run = new();
            using IDisposableReadOnlyCollection<OrtValue> made = modulation.Run(run, given, modulation.OutputNames);
            ReadOnlySpan<float> row = made[0].GetTensorDataAsSpan<float>();
            // The transformer's inputs for it stand in the order of the row.
            foreach (string input in _session!.InputNames.Where(n => n.StartsWith("modulation.", StringComparison.Ordinal)))
            {
                int size = _session.InputMetadata[input].Dimensions[^1];
                values[input] = Tensor(row[..size].ToArray(), 1, size);
                row = row[size..];
            }
            for (int i = 1; i < made.Count; i++)
            {
                values[modulation.OutputNames[i]] = Tensor(made[i].GetTensorDataAsSpan<float>().ToArray(), made[i].GetTensorTypeAndShape().Shape);
            }
        }

        private static OrtValue Tensor(float[] numbers, params long[] shape) => OrtValue.CreateTensorValueFromMemory(numbers, shape);

        private static float[] Positions(int rows, int columns) =>
            [.. Enumerable.Range(0, rows).SelectMany(row => Enumerable.Range(0, columns).SelectMany(column => new[] { 0f, row, column }))];
    }
}
