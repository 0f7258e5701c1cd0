using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>How blocks of a transformer keep what the way back needs, and the tapes of the passes since the last one.</summary>
/// <param name="network">The transformer.</param>
internal sealed class FluxTapes(FluxTransformer network) : IDisposable
{
    private readonly List<FluxTape> _tapes = [];
    private bool? _covers;

    /// <summary>Blocks from the first on that keep no graph: 0, the default, to all of them.</summary>
    public int Blocks
    {
        get;
        set => field = value >= 0 && value <= network.Blocks
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"The transformer has {network.Blocks} blocks: so many can be recomputed at most.");
    }

    /// <summary>
    /// Whether passes take the way back that is written out, where there is one for what lies over the blocks. That is looked up once, at the first pass.
    /// </summary>
    public bool Writes
    {
        get;
        set => (field, _covers) = (value, null);
    }

    /// <summary>A tape for a pass that begins; null where none is needed.</summary>
    public FluxTape? Begin(FluxConditioning given)
    {
        if (!is_grad_enabled())
        {
            return null;
        }
        bool written = Writes && !given.Modulations.Vec.requires_grad && (_covers ??= FluxTape.Writes(network));
        if (Blocks == 0 && !written)
        {
            return null;
        }
        FluxTape tape = new(Blocks, written, given);
        _tapes.Add(tape);
        return tape;
    }

    /// <summary>The gradients of a loss, back through its graph and then through all tapes.</summary>
    public void Backward(Tensor loss)
    {
        try
        {
            loss.backward();
            using IDisposable? turn = _tapes.Count > 0 ? network.Residency?.Enter(keepsGraphs: false) : null;
            foreach (FluxTape tape in Enumerable.Reverse(_tapes))
            {
                // The first pass adds the last part of every gradient.
                tape.Backward(network, tape == _tapes[0] ? network.BlockIsBack : null);
            }
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Forgets the passes that nobody went back from.</summary>
    public void Dispose()
    {
        _tapes.ForEach(tape => tape.Dispose());
        _tapes.Clear();
    }
}
