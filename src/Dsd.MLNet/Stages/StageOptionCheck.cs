using System.Text.RegularExpressions;
using Dsd.Common.Options;
using Dsd.Curation.Tasks;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Onnx.Runtime;

namespace Dsd.MLNet.Stages;

/// <summary>
/// Checks of options that all stages have, beside those of <see cref="OptionCheck"/>. Each names the option, what it may be and what was given.
/// </summary>
internal static partial class StageOptionCheck
{
    public static string Device(string? value, string option) =>
        value is not null && Devices().IsMatch(value)
            ? value
            : throw new ArgumentException($"Option {option} must be 'cpu', 'cuda' or 'cuda:' and a number, but is '{value}'.", option);

    /// <summary>A device, or several to fall back to, of those that ONNX Runtime computes on. TorchSharp's are among them.</summary>
    public static string OnnxDevice(string? value, string option)
    {
        try
        {
            new OnnxRuntimeOptions().On(value ?? "");
            return value!;
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"Option {option}: {e.Message}", option, e);
        }
    }

    /// <summary>Options of ONNX Runtime, whose devices and warnings are the stage's.</summary>
    public static OnnxRuntimeOptions Runtime(OnnxRuntimeOptions? value, string option)
    {
        ArgumentNullException.ThrowIfNull(value, option);
        string? devices = value is { Providers: [OnnxProvider.Cpu], Device: 0 } ? null : $"{string.Join(", ", value.Providers)}, number {value.Device}";
        LeftToTheStage(devices, value.Warn, option);
        return value;
    }

    /// <summary>Options of a model under TorchSharp, whose device and warnings are the stage's.</summary>
    public static PipelineOptions Pipeline(PipelineOptions? value, string option)
    {
        ArgumentNullException.ThrowIfNull(value, option);
        OptionCheck.TextOrNull(value.TransformerFile, nameof(value.TransformerFile));
        OptionCheck.TextOrNull(value.VaeFile, nameof(value.VaeFile));
        LeftToTheStage(value.Device?.ToString(), value.Warn, option);
        if (value.Loras.FirstOrDefault(l => l.Adapter is not null) is { } inMemory)
        {
            throw new ArgumentException(
                $"Option {option} holds an adapter in memory ('{inMemory.Source}'), which a stage cannot keep when it is saved: "
                + "write it to a file, and name that.");
        }
        return value;
    }

    /// <summary>Options of a base model that is trained over, whose device and warnings are the stage's.</summary>
    public static TrainingBase Base(TrainingBase? value, string option)
    {
        ArgumentNullException.ThrowIfNull(value, option);
        LeftToTheStage(value.Device?.ToString(), value.Warn, option);
        return value;
    }

    /// <exception cref="ArgumentException">A task is given, and an option that the task sets too.</exception>
    public static void NotBesideTask(CurationTask? task, params IEnumerable<(object? Value, string Option)> set)
    {
        if (task is not null && set.FirstOrDefault(s => s.Value is not null) is { Option: { } option })
        {
            throw new ArgumentException(
                $"Option Task ('{task.Name}') sets what option {option} sets too: leave {option} out, or change it in the task (task with {{ … }}).");
        }
    }

    /// <exception cref="ArgumentException">Two added columns have the same name.</exception>
    public static void Different(params IEnumerable<string> columns)
    {
        HashSet<string> seen = [];
        foreach (string column in columns)
        {
            if (!seen.Add(column))
            {
                throw new ArgumentException($"Two of the added columns are named '{column}': give each a name of its own.");
            }
        }
    }

    private static void LeftToTheStage(string? device, Action<string>? warn, string option)
    {
        if (device is not null)
        {
            throw new ArgumentException($"Option {option} names the device {device}: leave it out, and set the option Device of the stage.", option);
        }
        if (warn is not null)
        {
            throw new ArgumentException(
                $"Option {option} sets {nameof(PipelineOptions.Warn)}: leave it out. A stage writes warnings to the context's log (MLContext.Log).", option);
        }
    }

    [GeneratedRegex("^(cpu|cuda(:[0-9]{1,3})?)$")]
    private static partial Regex Devices();
}
