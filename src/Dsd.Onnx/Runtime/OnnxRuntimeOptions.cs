using Dsd.Common.Options;

namespace Dsd.Onnx.Runtime;

/// <summary>How ONNX Runtime runs the models.</summary>
public sealed record OnnxRuntimeOptions
{
    /// <summary>Where to compute. Default: the processor.</summary>
    public OnnxProvider Provider { get; init => field = OptionCheck.Defined(value, nameof(Provider)); } = OnnxProvider.Cpu;

    /// <summary>Threads for one operator on the processor, 1 to 1024. Null, the default: one for each physical core.</summary>
    public int? Threads { get; init => field = OptionCheck.RangeOrNull(value, 1, 1024, nameof(Threads)); }

    /// <summary>The GPU's number, 0 to 1023. Default 0. For <see cref="OnnxProvider.Cuda"/> alone.</summary>
    public int Device { get; init => field = OptionCheck.Range(value, 0, 1023, nameof(Device)); }

    /// <summary>
    /// Let the GPU multiply matrices with the 10-bit fractions of TF32: several times faster, and pictures differ a little from the
    /// processor's. Default false: whole single precision. For <see cref="OnnxProvider.Cuda"/> alone.
    /// </summary>
    public bool AllowTf32 { get; init; }

    /// <summary>
    /// The file of the CUDA provider, for a build of ONNX Runtime that does not contain it but can load it.
    /// Null, the default, looks for it beside the program. For <see cref="OnnxProvider.Cuda"/> alone.
    /// </summary>
    public string? CudaProviderLibrary { get; init; }

    /// <summary>
    /// Called with a warning, a full sentence, when something is done otherwise than asked: a prompt was cut off. Null, the default: nobody is
    /// warned.
    /// </summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Checks the options against each other.</summary>
    internal void Validate()
    {
        if (Provider != OnnxProvider.Cuda && (Device != 0 || AllowTf32 || CudaProviderLibrary is not null))
        {
            throw new ArgumentException(
                $"Options {nameof(Device)}, {nameof(AllowTf32)} and {nameof(CudaProviderLibrary)} are for {nameof(OnnxProvider.Cuda)} alone, "
                    + $"but {nameof(Provider)} is {Provider}.");
        }
    }
}
