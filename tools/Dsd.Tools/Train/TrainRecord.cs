using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dsd.Common.Files;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Models.Training.Planning;

namespace Dsd.Tools.Train;

/// <summary><c>train.json</c>: what a run was asked for, what was foreseen, with which versions, and whether it is finished.</summary>
internal static class TrainRecord
{
    private const string Options = "options";
    private const string Model = "model";
    private const string Names = "names";
    private const string FinishedSteps = "finished_steps";

    // Where a run looks on, keeps and reports may change while it goes on; which adapter it continued from is told by its name, for a run that moved.
    private static readonly string[] Free =
    [
        nameof(LoraTrainingOptions.ReportEvery), nameof(LoraTrainingOptions.CheckpointFolder), nameof(LoraTrainingOptions.KeepCheckpoints),
        nameof(LoraTrainingOptions.CheckpointSteps), nameof(LoraTrainingOptions.CheckpointEvery), nameof(LoraTrainingOptions.CacheFolder),
        nameof(LoraTrainingOptions.ValidateEvery), nameof(LoraTrainingOptions.MaxSkippedInRow),
    ];

    /// <summary>The record of a run that begins.</summary>
    public static JsonObject Of(TrainRequest request, TrainingPlan chosen, IReadOnlyList<TrainingPlan> all) => new()
    {
        [Model] = request.Model.Name,
        ["device"] = request.Device,
        ["pairs"] = new JsonArray([.. request.Pairs.Select(p => (JsonNode)p)]),
        ["validate"] = request.Validate,
        [Names] = request.Names.ToString(),
        ["samples"] = new JsonArray([.. request.Samples.Select(p => (JsonNode)p)]),
        [Options] = JsonSerializer.SerializeToNode(request.Training, TrainOptionsFile.Json),
        ["plan"] = PlanOf(chosen, all),
        ["versions"] = new JsonObject
        {
            ["dsd"] = typeof(LoraTrainer).Assembly.GetName().Version?.ToString(),
            ["torchsharp"] = typeof(TorchSharp.torch).Assembly.GetName().Version?.ToString(),
            ["dotnet"] = RuntimeInformation.FrameworkDescription,
            ["system"] = $"{RuntimeInformation.OSDescription} {RuntimeInformation.ProcessArchitecture}",
        },
        [FinishedSteps] = null,
    };

    /// <summary>A plan, as <c>--plan --json</c> writes it.</summary>
    public static JsonObject PlanOf(TrainingPlan chosen, IReadOnlyList<TrainingPlan> all) => new()
    {
        ["setting"] = chosen.Setting.Name,
        ["settings"] = new JsonArray([.. all.Select(p => (JsonNode)new JsonObject
        {
            ["setting"] = p.Setting.Name,
            ["memory_bytes"] = p.MemoryBytes,
            ["seconds_per_step"] = p.SecondsPerStep,
        })]),
    };

    /// <summary>Refuses options that a run with results did not have, and says whether it is finished.</summary>
    /// <exception cref="UsageException">The options are others; the message names them.</exception>
    /// <exception cref="IOException">The record is not readable.</exception>
    public static bool IsFinished(TrainFolder folder, JsonObject now)
    {
        if (!File.Exists(folder.Record) || !folder.HasState)
        {
            return false;
        }
        JsonObject before;
        try
        {
            before = JsonNode.Parse(File.ReadAllText(folder.Record))!.AsObject();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new IOException($"'{folder.Record}': expected the record of a run, found something else. Choose another folder.", e);
        }
        Dictionary<string, string> was = Binding(before), asked = Binding(now);
        string[] differing =
        [
            .. asked.Keys.Union(was.Keys).Where(name => was.GetValueOrDefault(name) != asked.GetValueOrDefault(name))
                .Select(name => $"{name} was {was.GetValueOrDefault(name) ?? "not set"} and is {asked.GetValueOrDefault(name) ?? "not set"}"),
        ];
        long? finished = before[FinishedSteps]?.GetValue<long>();
        long steps = now[Options]![nameof(LoraTrainingOptions.Steps)]!.GetValue<long>();
        if (differing.Length == 0 && finished > steps)
        {
            differing = [$"{nameof(LoraTrainingOptions.Steps)} was {finished} and is {steps}"];
        }
        return differing.Length == 0
            ? finished == steps && File.Exists(folder.Adapter)
            : throw new UsageException(
                $"The run in '{folder.Root}' has other options: {string.Join("; ", differing)}. Give the same ones, or another '--out'.");
    }

    /// <summary>Writes a record.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="record">The record.</param>
    /// <param name="finishedSteps">The run's length, where it is finished.</param>
    public static void Write(TrainFolder folder, JsonObject record, long? finishedSteps)
    {
        record[FinishedSteps] = finishedSteps;
        AtomicFile.Write(folder.Record, stream => JsonSerializer.Serialize(stream, record, TrainOptionsFile.Json));
    }

    /// <summary>What decides on the result, as text.</summary>
    private static Dictionary<string, string> Binding(JsonObject record)
    {
        JsonObject options = record[Options]?.AsObject() ?? [];
        Dictionary<string, string> binding = options
            .Where(o => !Free.Contains(o.Key) && o.Value is not null)
            .ToDictionary(o => o.Key, o => o.Value!.ToJsonString());
        if (options[nameof(LoraTrainingOptions.InitialAdapterFile)]?.GetValue<string>() is { } file)
        {
            binding[nameof(LoraTrainingOptions.InitialAdapterFile)] = Path.GetFileName(file);
            binding.Remove(nameof(LoraTrainingOptions.Adapter));
        }
        // A longer run with a constant rate goes on from a shorter one.
        if (options[nameof(LoraTrainingOptions.Schedule)]?.GetValue<string>() == nameof(LearningRateSchedule.Constant))
        {
            binding.Remove(nameof(LoraTrainingOptions.Steps));
        }
        // A record from before there was a choice has none.
        binding[Names] = record[Names]?.GetValue<string>() ?? nameof(LoraNames.Diffusers);
        binding[Model] = Path.GetFileName(Path.TrimEndingDirectorySeparator(record[Model]?.GetValue<string>() ?? ""));
        return binding;
    }
}
