using Dsd.Models.Families;
using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Families.Tests;

/// <summary>The smallest network that takes noisy latents, a condition, a prompt and a noise level: one hidden layer over each token by itself.</summary>
public sealed class ToyNetwork : DenoisingNetwork
{
    public const int Width = 24;
    private readonly AdaptableLinear x_embedder;
    private readonly AdaptableLinear? c_embedder;
    private readonly AdaptableLinear text_embedder;
    private readonly AdaptableLinear hidden;
    private readonly AdaptableLinear proj_out;

    public ToyNetwork(int channels, int text, bool conditional)
        : base(nameof(ToyNetwork))
    {
        x_embedder = new AdaptableLinear(channels, Width);
        c_embedder = conditional ? new AdaptableLinear(channels, Width) : null;
        text_embedder = new AdaptableLinear(text, Width);
        hidden = new AdaptableLinear(Width, Width);
        proj_out = new AdaptableLinear(Width, channels);
        RegisterComponents();
    }

    public override Device Device => x_embedder.Weight.device;

    public override ScalarType DType => x_embedder.Weight.dtype;

    public override bool IsConditional => c_embedder is not null;

    public override IReadOnlyList<string> AdapterTargets { get; } = ["hidden", "proj_out"];

    /// <summary>The velocity of latents [batch, tokens, channels], given condition tokens, a prompt [batch, text] and a noise level [batch].</summary>
    public Tensor forward(Tensor latents, Tensor? condition, Tensor prompt, Tensor sigma)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tokens = x_embedder.forward(latents); // [batch, tokens, width]
        tokens = condition is null ? tokens : tokens + c_embedder!.forward(condition);
        tokens = tokens + text_embedder.forward(prompt).unsqueeze(1) + sigma.view(-1, 1, 1);
        return proj_out.forward(nn.functional.relu(hidden.forward(tokens))).MoveToOuterDisposeScope();
    }
}
