using Dsd.Models.Layers;
using Dsd.Tiny.World;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Lab.Training;

/// <summary>
/// Tells each panel's subject from the transformer's hidden states, and is thrown away after the training. Where a panel is all noise and its caption says
/// nothing, only a look at the other panels can tell, so this teaches the network to have looked.
/// </summary>
internal sealed class SubjectReader : Module<Tensor, Tensor>
{
    private const int Hidden = 384;
    private static readonly long[] Counts = [.. Subject.Kinds.Select(kind => (long)kind.Count)];
    private readonly Sequential tokens;
    private readonly Linear heads;

    public SubjectReader(int width, Device device, ScalarType type)
        : base(nameof(SubjectReader))
    {
        tokens = Sequential(
            Linear(width, Hidden, device: device, dtype: type), SiLU(),
            Linear(Hidden, Hidden, device: device, dtype: type), SiLU());
        heads = Linear(Hidden, Counts.Sum(), device: device, dtype: type);
        foreach (Parameter parameter in tokens.parameters().Concat(heads.parameters()))
        {
            parameter.DetachFromDisposeScope();
        }
        RegisterComponents();
    }

    /// <summary>Scores of all values of all attributes [.., values], from features of panels [.., channels].</summary>
    public override Tensor forward(Tensor panels) => heads.forward(panels);

    /// <summary>The mean cross-entropy of all attributes in all panels.</summary>
    /// <param name="hidden">[batch, tokens, width].</param>
    /// <param name="panelOfToken">The panel that each token belongs to: [tokens].</param>
    /// <param name="truth">The values of the panels' subjects: [batch, panels, attributes].</param>
    public Tensor Loss(Tensor hidden, Tensor panelOfToken, Tensor truth)
    {
        using DisposeScope scope = NewDisposeScope();
        long panels = truth.shape[1];
        Tensor features = tokens.forward(hidden); // [batch, tokens, channels]
        // All panels have as many tokens.
        Tensor mean = functional.one_hot(panelOfToken, panels).to(features.dtype).t().Times((double)panels / panelOfToken.numel()); // [panels, tokens]
        Tensor scores = forward(matmul(mean, features)).to(ScalarType.Float32); // [batch, panels, values]
        Tensor sum = zeros(1, device: hidden.device);
        foreach ((int i, Tensor ofAttribute) in scores.split(Counts, -1).Index())
        {
            sum = sum.Plus(functional.cross_entropy(ofAttribute.flatten(0, 1), truth.select(-1, i).flatten()));
        }
        return sum.squeeze().Over(Counts.Length).MoveToOuterDisposeScope();
    }
}
