using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Lab.Training;

/// <summary>
/// The part of representation alignment that learns and is thrown away: it projects hidden states of the transformer to the clean picture's features.
/// </summary>
internal sealed class Alignment : Module<Tensor, Tensor>
{
    private const int Hidden = 384;
    private readonly Sequential projection;

    public Alignment(int width, int channels, Device device, ScalarType type)
        : base(nameof(Alignment))
    {
        projection = Sequential(
            Linear(width, Hidden, device: device, dtype: type), SiLU(),
            Linear(Hidden, Hidden, device: device, dtype: type), SiLU(),
            Linear(Hidden, channels, device: device, dtype: type));
        foreach (Parameter parameter in projection.parameters())
        {
            parameter.DetachFromDisposeScope();
        }
        RegisterComponents();
    }

    /// <summary>Features [batch, tokens, channels] of hidden states [batch, tokens, width].</summary>
    public override Tensor forward(Tensor hidden) => projection.forward(hidden);

    /// <summary>The negative cosine between projected hidden states and features [batch, tokens, channels], the mean over all tokens: −1…1.</summary>
    public Tensor Loss(Tensor hidden, Tensor features)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor cosine = functional.cosine_similarity(forward(hidden).to(ScalarType.Float32), features.to(ScalarType.Float32), dim: -1);
        return (-cosine.mean()).MoveToOuterDisposeScope();
    }
}
