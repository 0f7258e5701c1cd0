using Dsd.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Lab.Study.Baselines;

/// <summary>
/// A picture's latents as a few tokens of the text stream: a small network for each token, the mean over all of them, and another network.
/// </summary>
internal sealed class ImageEncoder : Module<Tensor, Tensor>
{
    /// <summary>Tokens that a reference becomes.</summary>
    public const int Tokens = 4;

    private const int Hidden = 256;
    private readonly Linear token_in;
    private readonly Linear token_out;
    private readonly Linear pooled_in;
    private readonly Linear pooled_out;

    /// <summary>An encoder whose last layer is zero, so that it says nothing at first.</summary>
    public ImageEncoder(int channels, int width, Device device, long seed)
        : base(nameof(ImageEncoder))
    {
        token_in = Linear(channels, Hidden, device: device);
        token_out = Linear(Hidden, Hidden, device: device);
        pooled_in = Linear(Hidden, Hidden, device: device);
        pooled_out = Linear(Hidden, Tokens * width, device: device);
        RegisterComponents();
        using Generator generator = new((ulong)seed, CPU);
        using IDisposable noGrad = no_grad();
        foreach (Linear layer in new[] { token_in, token_out, pooled_in })
        {
            using Tensor random = randn(layer.weight.shape, generator: generator);
            using Tensor scaled = random * Math.Sqrt(2.0 / (layer.weight.shape[0] + layer.weight.shape[1]));
            layer.weight.copy_(scaled);
            layer.bias!.zero_();
        }
        pooled_out.weight.zero_();
        pooled_out.bias!.zero_();
        foreach (Parameter parameter in parameters())
        {
            // A network built inside a dispose scope outlives it.
            parameter.DetachFromDisposeScope();
        }
    }

    public override Tensor forward(Tensor latents)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor each = token_out.forward(functional.gelu(token_in.forward(latents))); // [batch, tokens, hidden]
        Tensor pooled = each.mean([1]); // [batch, hidden]: where something is seen is lost here
        Tensor said = pooled_out.forward(functional.gelu(pooled_in.forward(pooled)));
        return said.unflatten(1, Tokens, said.shape[1] / Tokens).MoveToOuterDisposeScope(); // [batch, Tokens, width]
    }
}
