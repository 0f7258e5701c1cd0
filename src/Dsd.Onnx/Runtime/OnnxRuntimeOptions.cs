using System.Collections.Immutable;
using System.Globalization;
using Dsd.Common.Options;

namespace Dsd.Onnx.Runtime;

/// <summary>How ONNX Runtime runs the models.</summary>
public sealed record OnnxRuntimeOptions
{
    /// <summary>The devices that <see cref="On"/> takes, in words.</summary>
    internal const string DeviceForm =
        "cpu, cuda, cuda:N, tensorrt, tensorrt:N, directml, directml:N, coreml or webgpu, or several with commas between, each for when those before it "
            + "cannot be had";

    /// <summary>
    /// Where to compute, in order: the first that can be had computes. Those after it are for when it cannot, and then <see cref="Warn"/> is told why; there
    /// is no other falling back. Operators that the provider lacks run on the processor in any case (<see cref="OnnxPipeline.Placements"/>); those
    /// that <see cref="OnnxProvider.TensorRt"/> lacks run on <see cref="OnnxProvider.Cuda"/> where that is named after it. At least one, each once, and
    /// <see cref="OnnxProvider.Cpu"/> last, since it can always be had. Default: the processor.
    /// </summary>
    public IReadOnlyList<OnnxProvider> Providers { get; init => field = Ordered(value); } = [OnnxProvider.Cpu];

    /// <summary>Threads for one operator on the processor, 1 to 1024. Null, the default: one for each physical core.</summary>
    public int? Threads { get; init => field = OptionCheck.RangeOrNull(value, 1, 1024, nameof(Threads)); }

    /// <summary>
    /// The GPU's number, 0 to 1023. Default 0. For <see cref="OnnxProvider.Cuda"/>, <see cref="OnnxProvider.TensorRt"/> and
    /// <see cref="OnnxProvider.DirectMl"/>.
    /// </summary>
    public int Device { get; init => field = OptionCheck.Range(value, 0, 1023, nameof(Device)); }

    /// <summary>
    /// Let the GPU multiply numbers of single precision with the 10-bit fractions of TF32, which float16 has too: several times faster, and pictures differ a
    /// little from the processor's. Null, the default: where the model was exported with 16 bits or fewer, since its autoencoder is in single precision then
    /// too, and not where all of it is. True is for <see cref="OnnxProvider.Cuda"/> alone.
    /// </summary>
    public bool? AllowTf32 { get; init; }

    /// <summary>
    /// The most bytes of the GPU's memory that may be taken by a component with its weights, at least 64 MiB: each component that is open has an arena of its
    /// own. One that needs more is refused when it is opened or run. Null, the default: as much as there is. For <see cref="OnnxProvider.Cuda"/> alone.
    /// </summary>
    public long? MemoryBytes { get; init => field = OptionCheck.RangeOrNull(value, 64L << 20, long.MaxValue, nameof(MemoryBytes)); }

    /// <summary>
    /// Record a step of the transformer on the GPU when it first runs, and play the recording in all steps of the same size after it (CUDA graphs): a few
    /// percent faster. A recording keeps its memory until the model is closed, steps of calls at once take turns, and a cancelled call ends between two steps.
    /// Up to 8 recordings are kept, one for each size, call at once and pipeline with adapters; other steps run as without. Default false.
    /// For <see cref="OnnxProvider.Cuda"/> alone, graphs that were exported for CUDA, and a transformer that stays open (<see cref="Memory"/>).
    /// </summary>
    public bool CudaGraphs { get; init; }

    /// <summary>Which components stay open. Default: all that were used once.</summary>
    public OnnxMemoryMode Memory { get; init => field = OptionCheck.Defined(value, nameof(Memory)); }

    /// <summary>
    /// The most bytes of the host's memory for what text encoders gave for prompts, which is used again for the same prompts: about 8 MB a prompt for
    /// FLUX.1-dev. 0 keeps none. Default 128 MiB.
    /// </summary>
    public long PromptCacheBytes { get; init => field = OptionCheck.Range(value, 0L, long.MaxValue, nameof(PromptCacheBytes)); } = 128L << 20;

    /// <summary>
    /// Files of providers that ONNX Runtime loads and registers, for a build that does not contain them. Default none: what the build contains, and else a
    /// library of the usual name beside the program. Only for providers that <see cref="Providers"/> names.
    /// </summary>
    public IReadOnlyDictionary<OnnxProvider, string> ProviderLibraries { get; init => field = Named(value); } = ImmutableDictionary<OnnxProvider, string>.Empty;

    /// <summary>
    /// Called with a warning, a full sentence, when something is done otherwise than asked: a prompt was cut off, a provider could not be had and another
    /// one computes, or operators ran on the processor. Null, the default: nobody is warned.
    /// </summary>
    public Action<string>? Warn { get; init; }

    /// <summary>These options with <see cref="Providers"/> and <see cref="Device"/> as a command line names them.</summary>
    /// <param name="devices">
    /// <c>cpu</c>, <c>cuda</c>, <c>tensorrt</c>, <c>directml</c>, <c>coreml</c> or <c>webgpu</c>, or several with commas between. A number after a colon
    /// chooses the GPU, where there are several: <c>tensorrt:1,cuda:1,cpu</c>.
    /// </param>
    /// <exception cref="ArgumentException">The text names no devices, or several numbers.</exception>
    public OnnxRuntimeOptions On(string devices)
    {
        ArgumentNullException.ThrowIfNull(devices);
        List<OnnxProvider> providers = [];
        List<int> numbers = [];
        foreach (string name in devices.Split(','))
        {
            string[] parts = name.Split(':');
            ProviderTraits? traits = ProviderTraits.All.FirstOrDefault(t => t.Word == parts[0]);
            int number = 0;
            if (traits is null || parts.Length > 2 || parts.Length == 2 && !(traits.Numbered
                && parts[1].Length <= 3 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out number)))
            {
                throw new ArgumentException($"A device must be {DeviceForm}, but is '{devices}'.", nameof(devices));
            }
            providers.Add(traits.Provider);
            if (traits.Numbered)
            {
                numbers.Add(number);
            }
        }
        if (numbers.Distinct().Count() > 1)
        {
            throw new ArgumentException($"Devices that stand in for each other must be one GPU, but '{devices}' names several numbers.", nameof(devices));
        }
        return this with { Providers = providers, Device = numbers.FirstOrDefault() };
    }

    /// <summary>Checks the options against each other.</summary>
    internal void Validate()
    {
        string given = string.Join(", ", Providers);
        if (Device != 0 && !Providers.Any(p => ProviderTraits.Of(p).Numbered))
        {
            throw new ArgumentException(
                $"Option {nameof(Device)} is for {nameof(OnnxProvider.Cuda)}, {nameof(OnnxProvider.TensorRt)} and {nameof(OnnxProvider.DirectMl)}, "
                    + $"but {nameof(Providers)} is {given}.");
        }
        // That nothing be rounded holds everywhere, and stands in models that were saved when false was the default.
        if ((AllowTf32 == true || CudaGraphs || MemoryBytes is not null) && !Providers.Contains(OnnxProvider.Cuda))
        {
            string option = AllowTf32 == true ? nameof(AllowTf32) : CudaGraphs ? nameof(CudaGraphs) : nameof(MemoryBytes);
            throw new ArgumentException($"Option {option} is for {nameof(OnnxProvider.Cuda)} alone, but {nameof(Providers)} is {given}.");
        }
        if (CudaGraphs && Memory == OnnxMemoryMode.IdleClosed)
        {
            throw new ArgumentException(
                $"Option {nameof(CudaGraphs)} needs a transformer that stays open, but {nameof(Memory)} is {Memory}: use {OnnxMemoryMode.Resident} or "
                    + $"{OnnxMemoryMode.ModulationClosed}.");
        }
        if (ProviderLibraries.Keys.Where(p => p == OnnxProvider.Cpu || !Providers.Contains(p)).Select(p => $"{p}").FirstOrDefault() is { } unused)
        {
            throw new ArgumentException($"Option {nameof(ProviderLibraries)} has a library for {unused}, but {nameof(Providers)} is {given}.");
        }
    }

    private static OnnxProvider[] Ordered(IReadOnlyList<OnnxProvider> value)
    {
        ArgumentNullException.ThrowIfNull(value, nameof(Providers));
        OnnxProvider[] providers = [.. value.Select(p => OptionCheck.Defined(p, nameof(Providers)))];
        string given = string.Join(", ", providers);
        int cpu = Array.IndexOf(providers, OnnxProvider.Cpu);
        return providers.Length == 0 ? throw new ArgumentException($"Option {nameof(Providers)} needs at least one provider.", nameof(Providers))
            : providers.Distinct().Count() < providers.Length
                ? throw new ArgumentException($"Option {nameof(Providers)} must name each provider once, but is {given}.", nameof(Providers))
            : cpu >= 0 && cpu < providers.Length - 1
                ? throw new ArgumentException(
                    $"Option {nameof(Providers)} must have {nameof(OnnxProvider.Cpu)} last, since it can always be had, but is {given}.", nameof(Providers))
            : providers;
    }

    private static ImmutableDictionary<OnnxProvider, string> Named(IReadOnlyDictionary<OnnxProvider, string> value)
    {
        ArgumentNullException.ThrowIfNull(value, nameof(ProviderLibraries));
        return value.ToImmutableDictionary(
            p => OptionCheck.Defined(p.Key, nameof(ProviderLibraries)), p => OptionCheck.Text(p.Value, nameof(ProviderLibraries)));
    }
}
