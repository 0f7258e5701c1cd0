using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Layers;

/// <summary>Gradients by torch's autograd, of a piece of a network that keeps no graph otherwise.</summary>
internal static class PlainGradient
{
    /// <summary>The gradients of inputs.</summary>
    /// <param name="inputs">What the piece takes.</param>
    /// <param name="forward">The piece.</param>
    /// <param name="gradients">Of what it gives, in its order.</param>
    /// <returns>New tensors, one for each input.</returns>
    public static Tensor[] Of(Tensor[] inputs, Func<Tensor[], Tensor[]> forward, Tensor[] gradients)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = enable_grad();
        Tensor[] leaves = [.. inputs.Select(i => i.detach().requires_grad_(true))];
        autograd.backward(forward(leaves), gradients);
        return [.. leaves.Select(l => l.grad!.MoveToOuterDisposeScope())];
    }
}
