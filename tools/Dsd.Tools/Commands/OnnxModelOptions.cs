using System.CommandLine;
using Dsd.Onnx.Runtime;

namespace Dsd.Tools.Commands;

/// <summary>The options that say which exported model ONNX Runtime opens, and how it holds it.</summary>
/// <param name="memory">The option <c>--memory</c>, which drawing with TorchSharp has too.</param>
/// <param name="device">The option <c>--device</c>, likewise.</param>
internal sealed class OnnxModelOptions(Option<string?> memory, Option<string> device)
{
    /// <summary>The words of <c>--memory</c> for ONNX Runtime.</summary>
    public static readonly IReadOnlyDictionary<string, OnnxMemoryMode> Modes = new Dictionary<string, OnnxMemoryMode>
    {
        ["resident"] = OnnxMemoryMode.Resident,
        ["modulation-closed"] = OnnxMemoryMode.ModulationClosed,
        ["idle-closed"] = OnnxMemoryMode.IdleClosed,
    };

    private readonly Option<string?> _folder = new("--onnx")
    {
        Description = "Draw with ONNX Runtime: the folder that 'dsd export' wrote.",
        HelpName = "FOLDER",
    };

    private readonly Option<double?> _limit = new Option<double?>("--memory-limit")
    {
        Description = "With '--onnx' on CUDA: GiB of the GPU's memory that each component may take; what there is if left out.",
        HelpName = "GIB",
    }.Between(0.0625, 100000);

    private readonly Option<bool> _graphs = new("--cuda-graphs")
    {
        Description = "With '--onnx' on CUDA: record a step on the GPU and play it again. A few percent faster; see docs/onnx-runtime.md.",
    };

    /// <summary>The option <c>--device</c> of a command that draws with ONNX Runtime too.</summary>
    public static Option<string> CreateDevice() => DeviceOption.Create(
        "cpu, cuda or cuda:N; with '--onnx' also tensorrt, directml, coreml or webgpu, or several with commas between, each for when those before it cannot "
            + "be had",
        IsDevice);

    /// <summary>Adds the options to a command, but those that it shares.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_folder);
        command.Options.Add(_limit);
        command.Options.Add(_graphs);
    }

    /// <summary>The exported model that was asked for; null where ONNX Runtime was not.</summary>
    /// <exception cref="UsageException">Options of ONNX Runtime were given without a model.</exception>
    public string? Folder(ParseResult parsed)
    {
        string? folder = parsed.GetValue(_folder);
        Option[] ofOnnx = [_limit, _graphs];
        return folder is not null || ofOnnx.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is not { } lonely
            ? folder
            : throw new UsageException($"'{lonely.Name}' is for drawing with ONNX Runtime, but there is no '{_folder.Name}'.");
    }

    /// <summary>How to open the model.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="warn">Called with a warning when something is done otherwise than asked.</param>
    /// <exception cref="UsageException">A value does not suit ONNX Runtime, or the others.</exception>
    public OnnxRuntimeOptions Runtime(ParseResult parsed, Action<string> warn)
    {
        string mode = parsed.GetValue(memory) ?? "resident";
        OnnxRuntimeOptions runtime = new OnnxRuntimeOptions
        {
            CudaGraphs = parsed.GetValue(_graphs),
            Memory = Modes.TryGetValue(mode, out OnnxMemoryMode known)
                ? known
                : throw new UsageException(
                    $"'{memory.Name}' is {mode}, which is for drawing with TorchSharp ('--model'); with '{_folder.Name}' it is "
                        + $"{string.Join(" or ", Modes.Keys)}."),
            MemoryBytes = parsed.GetValue(_limit) is { } gib ? (long)(gib * (1L << 30)) : null,
            Warn = warn,
        }.On(parsed.GetRequiredValue(device));
        Option? ofCuda = runtime.MemoryBytes is not null ? _limit : runtime.CudaGraphs ? _graphs : null;
        if (ofCuda is not null && !runtime.Providers.Contains(OnnxProvider.Cuda))
        {
            throw new UsageException($"'{ofCuda.Name}' is for a GPU with CUDA, but '{device.Name}' is {parsed.GetRequiredValue(device)}.");
        }
        return !runtime.CudaGraphs || runtime.Memory != OnnxMemoryMode.IdleClosed
            ? runtime
            : throw new UsageException($"'{_graphs.Name}' needs a transformer that stays open, but '{memory.Name}' is {mode}.");
    }

    /// <summary>Whether a text names devices of ONNX Runtime.</summary>
    public static bool IsDevice(string text)
    {
        try
        {
            new OnnxRuntimeOptions().On(text);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
