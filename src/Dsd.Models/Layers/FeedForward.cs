using Dsd.Models.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Layers;

// Field names in this file are the checkpoint's keys.

/// <summary>The first half of a feed-forward network: a linear layer and GELU in its tanh form.</summary>
internal sealed class GeluProjection : Module<Tensor, Tensor>
{
    private readonly AdaptableLinear proj;

    public GeluProjection(long inputs, long outputs, Device? device, ScalarType dtype)
        : base(nameof(GeluProjection))
    {
        proj = new AdaptableLinear(inputs, outputs, device, dtype);
        RegisterComponents();
    }

    public AdaptableLinear Projection => proj;

    public override Tensor forward(Tensor x) => FastLinear.Gelu(proj, x);
}

/// <summary>A feed-forward network four times as wide inside as outside.</summary>
internal sealed class FeedForward : Module<Tensor, Tensor>
{
    private readonly ModuleList<Module<Tensor, Tensor>> net;

    public FeedForward(long width, Device? device, ScalarType dtype)
        : base(nameof(FeedForward))
    {
        // The middle one stands where the published model has a dropout of zero, so that the last keeps its number.
        net = ModuleList<Module<Tensor, Tensor>>(
            new GeluProjection(width, 4 * width, device, dtype), Identity(), new AdaptableLinear(4 * width, width, device, dtype));
        RegisterComponents();
    }

    public AdaptableLinear In => ((GeluProjection)net[0]).Projection;

    public AdaptableLinear Out => (AdaptableLinear)net[2];

    public override Tensor forward(Tensor x) => Out.forward(FastLinear.Gelu(In, x));
}
