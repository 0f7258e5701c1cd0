using Dsd.Models.Layers;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>Random weights for a transformer that begins from nothing.</summary>
internal static class FluxInitialization
{
    /// <summary>
    /// Linear layers are drawn normal with variance 2 / (inputs + outputs). Modulations, <c>proj_out</c> and <c>c_embedder</c> are zero, so that
    /// every block is the identity.
    /// </summary>
    /// <param name="transformer">The transformer, whose weights are overwritten.</param>
    /// <param name="seed">Where the random numbers start; they are drawn on the CPU, so that a seed gives the same weights on every device.</param>
    public static void Random(FluxTransformer transformer, long seed)
    {
        using Generator generator = new((ulong)seed, CPU);
        foreach (AdaptableLinear linear in transformer.modules().OfType<AdaptableLinear>())
        {
            linear.Initialize(generator);
        }
        foreach (Modulation modulation in transformer.modules().OfType<Modulation>())
        {
            modulation.Linear.InitializeZero();
        }
        foreach ((string name, AdaptableLinear linear) in transformer.Linears())
        {
            if (name is "proj_out" or "c_embedder")
            {
                linear.InitializeZero();
            }
        }
    }
}
