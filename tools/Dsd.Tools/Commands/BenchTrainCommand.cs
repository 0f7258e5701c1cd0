using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Models.Benchmark;
using Dsd.Models.Lora;
using Dsd.Models.Training.Parallel;
using Dsd.Models.Training.Planning;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd bench train</c>: a step of training an adapter, with the base model in each of the ways that save memory.</summary>
internal static class BenchTrainCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create(Terminal terminal)
    {
        Option<string> size = BenchModel.CreateSize();
        Option<string> device = DeviceOption.Create();
        Option<string?> json = new("--json") { Description = "A file for the figures, one object for each setting.", HelpName = "FILE" };
        Option<int> steps = new Option<int>("--steps")
        {
            Description = "Steps to measure, 1 to 100000; 10 if left out.",
            HelpName = "N",
            DefaultValueFactory = _ => 10,
        }.Between(1, 100000);
        Option<int> rank = new Option<int>("--rank")
        {
            Description = "Rank of the adapter, 1 to 4096; 128 if left out.",
            HelpName = "N",
            DefaultValueFactory = _ => 128,
        }.Between(1, 4096);
        Option<string> targets = new("--targets")
        {
            Description = "Layers of the adapter: attention or all; all if left out.",
            HelpName = "NAME",
            DefaultValueFactory = _ => "all",
        };
        targets.AcceptOnlyFromAmong("attention", "all");
        Option<int> batch = new Option<int>("--batch")
        {
            Description = "Pairs a step, 1 to 1024; 1 if left out.",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        }.Between(1, 1024);
        Option<string[]> settings = new("--setting")
        {
            Description = $"A setting to measure, several if need be: {string.Join(", ", TrainingSetting.All.Select(s => s.Name))}; all that the device can if "
                + "left out.",
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true,
        };
        settings.AcceptOnlyFromAmong([.. TrainingSetting.All.Select(s => s.Name)]);
        Option<int> gpus = new Option<int>("--gpus")
        {
            Description = "GPUs of this machine that train together, a process each, 1 to 1024; 1 if left out.",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        }.Between(1, 1024);
        Command command = new("train", "Time a step of training an adapter, with the base model in each of the ways that save memory.")
        {
            size, device, json, steps, rank, targets, batch, settings, gpus,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            string name = parsed.GetRequiredValue(device);
            DeviceOption.RequirePresent(name);
            if (parsed.GetValue(gpus) is var count and > 1)
            {
                return await GroupLaunch.RunAsync(terminal, parsed, count, name, json: false, cancel);
            }
            string[] chosen = parsed.GetValue(settings) ?? [];
            TrainingSetting[] asked = [.. TrainingSetting.All.Where(s => chosen.Contains(s.Name))];
            if (name == "cpu" && asked.FirstOrDefault(s => s.Float8 || s.Streamed) is { } gpu)
            {
                throw new UsageException($"'--setting {gpu.Name}' needs a GPU, but '--device' is cpu.");
            }
            if (parsed.GetValue(json) is { } file)
            {
                OutputFile.CheckFile(file);
            }
            TrainingBenchmarkOptions options = BenchModel.Training(parsed.GetRequiredValue(size), new Device(name)) with
            {
                Steps = parsed.GetValue(steps),
                Rank = parsed.GetValue(rank),
                Targets = LoraOptions.Preset(parsed.GetRequiredValue(targets)).Targets,
                BatchSize = parsed.GetValue(batch),
                Settings = asked.Length > 0 ? asked : null,
            };
            await Task.Run(
                () =>
                {
                    using TrainingGroup? group = TrainingGroup.FromEnvironment(options.Device);
                    Run(group is null ? options : options with { Group = group, Device = OwnGpu(options, group) }, parsed.GetValue(json), terminal, cancel);
                },
                cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private static Device? OwnGpu(TrainingBenchmarkOptions options, TrainingGroup group) =>
        options.Device is { type: DeviceType.CUDA, index: < 0 } ? new Device(DeviceType.CUDA, group.LocalRank) : options.Device;

    private static void Run(TrainingBenchmarkOptions options, string? json, Terminal terminal, CancellationToken cancel)
    {
        bool first = options.Group is null or { Rank: 0 };
        IReadOnlyList<TrainingBenchmarkResult> results = TrainingBenchmark.Run(options, first ? new Line(terminal) : null, cancel);
        if (!first)
        {
            return;
        }
        Table table = new() { Border = TableBorder.Simple };
        foreach (string heading in new[] { "setting", "ms a step", "predicted", "tokens/s", "TFLOP/s", "of matmul", "memory GiB", "predicted", "loss" })
        {
            table.AddColumn(new TableColumn(heading) { Alignment = heading == "setting" ? Justify.Left : Justify.Right });
        }
        foreach (TrainingBenchmarkResult r in results)
        {
            table.AddRow(
                r.Setting,
                r.MsPerStep.ToString("0.0", CultureInfo.InvariantCulture),
                r.PredictedMsPerStep?.ToString("0.0", CultureInfo.InvariantCulture) ?? "",
                r.TokensPerS.ToString("0", CultureInfo.InvariantCulture),
                r.Tflops.ToString(r.Tflops < 10 ? "0.000" : "0.0", CultureInfo.InvariantCulture),
                r.ShareOfMatmul.ToString("0.0 %", CultureInfo.InvariantCulture),
                Gib(r.PeakMemoryBytes),
                Gib(r.PredictedMemoryBytes),
                r.Loss.ToString("0.0000", CultureInfo.InvariantCulture));
        }
        terminal.Results.Write(table);
        if (json is not null)
        {
            AtomicFile.Write(json, stream => JsonSerializer.Serialize(stream, results, Json));
        }
    }

    private static string Gib(long bytes) => (bytes / (double)(1 << 30)).ToString("0.00", CultureInfo.InvariantCulture);

    private sealed class Line(Terminal terminal) : IProgress<TrainingBenchmarkResult>
    {
        public void Report(TrainingBenchmarkResult value) => terminal.Error.WriteLine(
            FormattableString.Invariant($"{value.Setting}: {value.MsPerStep:0.0} ms a step, {Gib(value.PeakMemoryBytes)} GiB"));
    }
}
