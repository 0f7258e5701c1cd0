using Dsd.Models.Layers;
using Dsd.Models.Lora;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Families;

/// <summary>The network of a base model that predicts velocities. Adapters can be laid over its linear layers.</summary>
/// <remarks>Layers that adapters may change are <see cref="AdaptableLinear"/>s; their names are those of the modules.</remarks>
/// <param name="name">The name of the class, for TorchSharp.</param>
public abstract class DenoisingNetwork(string name) : Module(name)
{
    /// <summary>Where the weights lie.</summary>
    public abstract Device Device { get; }

    /// <summary>The type of the weights, in which the network computes.</summary>
    public abstract ScalarType DType { get; }

    /// <summary>Whether the network takes a reference: whether it has a <c>c_embedder</c>.</summary>
    public abstract bool IsConditional { get; }

    /// <summary>Endings of the layers that a new adapter adapts where nobody says otherwise: see <see cref="LoraOptions.Targets"/>.</summary>
    public abstract IReadOnlyList<string> AdapterTargets { get; }

    /// <summary>Whether large layers' weights are rounded to eight bits, which can neither learn nor take a merged adapter.</summary>
    public virtual bool IsFloat8 => false;

    /// <summary>
    /// How many blocks the network has that can keep no graph: see <see cref="RecomputedBlocks"/>. 0 for a network that keeps all of its graph.
    /// </summary>
    public virtual int Blocks => 0;

    /// <summary>
    /// How many blocks, from the first on, keep only their inputs in passes with gradients, and are computed once more in <see cref="Backward"/>: less memory
    /// for more time. 0, the default, to <see cref="Blocks"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The network has not so many blocks that can.</exception>
    public virtual int RecomputedBlocks
    {
        get => 0;
        set => ArgumentOutOfRangeException.ThrowIfNotEqual(value, 0);
    }

    /// <summary>
    /// Whether passes with gradients go back by code of our own where the network has it and only adapters learn: less time and memory than torch's graphs, and
    /// the same gradients but for rounding. <see cref="Backward"/> alone gives them then. Default false.
    /// </summary>
    internal virtual bool WritesGradients
    {
        get => false;
        set
        {
        }
    }

    /// <summary>
    /// Called within <see cref="Backward"/> with the name of a block as soon as all gradients of what lies over its layers are there, so that they can be
    /// exchanged while the way back goes on: only where that is written out (<see cref="WritesGradients"/>), the last block first. Null, the default, is
    /// nobody.
    /// </summary>
    internal Action<string>? BlockIsBack { get; set; }

    /// <summary>
    /// Computes the gradients of a loss over what the forward passes since the last call gave, as <c>loss.backward()</c> does, and in place of it: blocks that
    /// keep no graph are computed once more here.
    /// </summary>
    /// <param name="loss">A scalar.</param>
    public virtual void Backward(Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        loss.backward();
    }

    /// <summary>The linear layers by module name: where adapters go, <see cref="ILinearAdapter"/> says how.</summary>
    public IReadOnlyDictionary<string, AdaptableLinear> Linears() =>
        named_modules().Where(m => m.module is AdaptableLinear).ToDictionary(m => m.name, m => (AdaptableLinear)m.module);
}
