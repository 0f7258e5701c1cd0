using Dsd.Models.Acceleration;
using Dsd.Models.Flux;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Residency;

/// <summary>The part of a FLUX transformer's weights that waits in the host's memory, and how it gets to the device.</summary>
internal sealed class FluxResidency : IDisposable
{
    private readonly FluxTransformer _transformer;
    private readonly MemoryMode _memory;
    private readonly bool _float8;
    private HostSlab? _slab;
    private readonly object _turn = new();
    private HostedBlocks<DoubleStreamBlock>? _doubles;
    private HostedBlocks<SingleStreamBlock>? _singles;

    private FluxResidency(FluxTransformer transformer, MemoryMode memory, bool float8)
    {
        (_transformer, _memory, _float8) = (transformer, memory, float8);
        if (memory != MemoryMode.Streamed)
        {
            _slab = new HostSlab(transformer.Linears().Values.Where(l => l.IsOnHost).SelectMany(l => new Tensor[] { l.Weight, l.Bias }));
        }
        else if (!float8)
        {
            _slab = new HostSlab(OnHost(transformer));
        }
    }

    /// <summary>The blocks with separate streams, each on the device until the next one is asked for; null where they stay on it.</summary>
    public IEnumerable<DoubleStreamBlock>? Doubles => _doubles?.Run();

    /// <summary>The blocks over the joined stream, likewise.</summary>
    public IEnumerable<SingleStreamBlock>? Singles => _singles?.Run();

    /// <summary>The blocks with separate streams from the last to the first; null where they stay on the device.</summary>
    public IEnumerable<DoubleStreamBlock>? DoublesBackwards => _doubles?.RunBackwards();

    /// <summary>The blocks over the joined stream, likewise.</summary>
    public IEnumerable<SingleStreamBlock>? SinglesBackwards => _singles?.RunBackwards();

    /// <summary>Where to make weights, so that this mode can take them over once they are loaded.</summary>
    /// <param name="memory">The mode.</param>
    /// <param name="device">The device that computes; null is the CPU.</param>
    /// <param name="float8">Whether blocks go to the device in eight bits, each once it is loaded.</param>
    /// <param name="trains">Whether the transformer will be trained.</param>
    public static WeightPlaces PlacesFor(MemoryMode memory, Device? device, bool float8, bool trains) =>
        new(
            device, memory == MemoryMode.Streamed || float8 ? CPU : device, IdleModulations: memory != MemoryMode.Resident && !trains,
            OwnModulations: memory == MemoryMode.Streamed && trains ? device : null);

    /// <summary>Moves what will wait on the host into memory of its own, before weights are loaded; null where nothing waits.</summary>
    /// <param name="transformer">The transformer, not yet loaded.</param>
    /// <param name="memory">The mode.</param>
    /// <param name="float8">Whether blocks are rounded to eight bits while they are loaded: they get their memory once they are.</param>
    public static FluxResidency? Of(FluxTransformer transformer, MemoryMode memory, bool float8 = false) =>
        memory == MemoryMode.Resident ? null : new FluxResidency(transformer, memory, float8);

    /// <summary>Makes ready what passes through the device, once all weights are loaded.</summary>
    /// <exception cref="InvalidOperationException">The host's memory cannot be kept in place for the GPU.</exception>
    public void Begin()
    {
        Device device = _transformer.Device;
        _slab ??= new HostSlab(OnHost(_transformer), keeps: true);
        _slab.Pin(device);
        if (_memory != MemoryMode.Streamed)
        {
            return;
        }
        // The modulations of the slots stay empty: a slot uses those of the block that it stands in for.
        static bool IsModulation(string name) => name.StartsWith("norm", StringComparison.Ordinal);
        WeightPlaces places = new(device, device, IdleModulations: true);
        (FluxConfig config, ScalarType type) = (_transformer.Config, _transformer.DType);
        _doubles = _transformer.Doubles.Count == 0 ? null
            : new HostedBlocks<DoubleStreamBlock>(
                _transformer.Doubles, device, () => Slot(new DoubleStreamBlock(config, places, type)), IsModulation, (host, slot) => slot.StandInFor(host),
                Factors);
        _singles = _transformer.Singles.Count == 0 ? null
            : new HostedBlocks<SingleStreamBlock>(
                _transformer.Singles, device, () => Slot(new SingleStreamBlock(config, places, type)), IsModulation, (host, slot) => slot.StandInFor(host),
                Factors);

        T Slot<T>(T block)
            where T : FluxBlock
        {
            if (_float8)
            {
                Array.ForEach(block.Large, layers => Float8Weights.Room(layers));
            }
            return block;
        }
    }

    /// <summary>
    /// Reserves the slots for the calling thread until it disposes the result: there are two slots, however many threads draw. Null where no block
    /// passes through.
    /// </summary>
    /// <param name="keepsGraphs">Whether blocks would keep graphs, if a gradient is wanted: their weights are gone when the way back needs them.</param>
    /// <exception cref="InvalidOperationException">A gradient is wanted, and graphs would be kept.</exception>
    public IDisposable? Enter(bool keepsGraphs)
    {
        if (_doubles is null && _singles is null)
        {
            return null;
        }
        return is_grad_enabled() && keepsGraphs
            ? throw new InvalidOperationException(
                $"Blocks that pass through the GPU ({nameof(MemoryMode)}.{nameof(MemoryMode.Streamed)}) can keep no graph. "
                    + $"Set {nameof(FluxTransformer.RecomputedBlocks)} to all of them, or load the model as {nameof(MemoryMode.Resident)} to train.")
            : new Turn(_turn);
    }

    /// <summary>Frees the slots, and unpins the host's memory.</summary>
    public void Dispose()
    {
        _doubles?.Dispose();
        _singles?.Dispose();
        _slab?.Dispose();
    }

    // What of the blocks lies on the host: weights, biases, norms, and factors of weights in eight bits.
    private static IEnumerable<Tensor> OnHost(FluxTransformer transformer) => transformer.Doubles.Concat<FluxBlock>(transformer.Singles)
        .SelectMany(b => b.parameters().Concat(Factors(b))).Where(t => t.device_type == DeviceType.CPU);

    private static IEnumerable<Tensor> Factors(FluxBlock block) => block.Large.SelectMany(l => l).Select(l => l.Own.Factors).OfType<Tensor>();

    private sealed class Turn : IDisposable
    {
        private readonly object _of;

        public Turn(object of)
        {
            _of = of;
            Monitor.Enter(of);
        }

        public void Dispose() => Monitor.Exit(_of);
    }
}
