using System.CommandLine;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Gates;
using Dsd.Onnx.Runtime;

namespace Dsd.Tools.Commands;

/// <summary>The options that put a gate of embeddings before a run's judge.</summary>
internal sealed class GateOptions
{
    private readonly Option<string?> _encoder = new("--gate-encoder")
    {
        Description = "An encoder's folder ('dsd export --encoder'): pairs whose similarity to it lies outside the bounds are not kept, and the judge is not "
            + "asked about them.",
        HelpName = "FOLDER",
    };
    private readonly Option<double?> _least = new Option<double?>("--gate-least")
    {
        Description = "The least similarity, -1 to 1: below it the pictures are too different.",
        HelpName = "X",
    }.Between(-1, 1);
    private readonly Option<double?> _most = new Option<double?>("--gate-most")
    {
        Description = "The largest similarity, -1 to 1: above it one picture is nearly a copy of the other. 0.98 on DINOv2 is SynCD's bound.",
        HelpName = "X",
    }.Between(-1, 1);
    private readonly Option<string?> _device = new("--gate-device")
    {
        Description = "Where the encoder runs, as for 'dsd generate --onnx'; cpu if left out.",
        HelpName = "DEVICE",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _encoder, _least, _most, _device })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The gate, opened; null where none is asked for.</summary>
    /// <exception cref="UsageException">The options contradict each other.</exception>
    /// <exception cref="Dsd.Models.Weights.WeightsException">The folder is no encoder's.</exception>
    public Gate? Open(ParseResult parsed, Action<string> warn)
    {
        string? folder = parsed.GetValue(_encoder);
        GateBounds bounds = new() { Least = parsed.GetValue(_least), Most = parsed.GetValue(_most) };
        Option[] others = [_least, _most, _device];
        if (folder is null)
        {
            return others.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } lonely
                ? throw new UsageException($"'{lonely.Name}' is for a gate, but there is no '{_encoder.Name}'.")
                : null;
        }
        if (bounds is { Least: null, Most: null })
        {
            throw new UsageException($"A gate needs '{_least.Name}' or '{_most.Name}', or both.");
        }
        if (bounds.Least > bounds.Most)
        {
            throw new UsageException($"'{_least.Name}' must be at most '{_most.Name}', but {bounds.Least} is above {bounds.Most}.");
        }
        string device = parsed.GetValue(_device) ?? "cpu";
        return OnnxModelOptions.IsDevice(device)
            ? new Gate(EmbeddingGate.Open(folder, new OnnxRuntimeOptions { Warn = warn }.On(device)), bounds)
            : throw new UsageException($"Option '{_device.Name}' must be a device of ONNX Runtime, such as cpu or cuda:0, but is '{device}'.");
    }

    /// <summary>An opened gate.</summary>
    internal sealed class Gate(EmbeddingGate gate, GateBounds bounds) : IDisposable
    {
        /// <summary>A judge behind the gate.</summary>
        public IPairJudge Before(IPairJudge judge) => new GatedJudge(gate, bounds, judge);

        public void Dispose() => gate.Dispose();
    }
}
