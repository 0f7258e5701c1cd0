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
    /// Computes the gradients of a loss over what the last forward passes on this thread gave, as <c>loss.backward()</c> does. A network that keeps less
    /// than a graph of its passes computes them anew here.
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
