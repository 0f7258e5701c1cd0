using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Lab.Study.Baselines;

/// <summary>A picture's latents as a few tokens of the text stream: a small network for each token, the mean over all of them, and another network.</summary>
internal sealed class ImageEncoder : Module<Tensor, Tensor>
{
    /// <summary>Tokens that a reference becomes.</summary>
    public const int Tokens = 4;

    private const int Hidden = 256;
    private readonly AdaptableLinear token_in;
    private readonly AdaptableLinear token_out;
    private readonly AdaptableLinear pooled_in;
    private readonly AdaptableLinear pooled_out;

    /// <summary>An encoder whose last layer is zero, so that it says nothing at first.</summary>
    public ImageEncoder(int channels, int width, Device device, long seed)
        : base(nameof(ImageEncoder))
    {
        token_in = new AdaptableLinear(channels, Hidden, device);
        token_out = new AdaptableLinear(Hidden, Hidden, device);
        pooled_in = new AdaptableLinear(Hidden, Hidden, device);
        pooled_out = new AdaptableLinear(Hidden, Tokens * width, device);
        RegisterComponents();
        using Generator generator = new((ulong)seed, CPU);
        token_in.Initialize(generator);
        token_out.Initialize(generator);
        pooled_in.Initialize(generator);
        pooled_out.InitializeZero();
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
