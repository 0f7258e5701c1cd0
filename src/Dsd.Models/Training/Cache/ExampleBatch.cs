using Dsd.Models.Sampling;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Cache;

/// <summary>Some examples of one size as the model takes them.</summary>
/// <param name="Latents">Both frames, [batch, tokens, channels].</param>
/// <param name="Condition">The reference beside black, [batch, tokens, channels].</param>
/// <param name="Prompt">What the text encoders gave, [batch, …] each.</param>
/// <param name="Canvas">The size of both frames together.</param>
internal sealed record ExampleBatch(Tensor Latents, Tensor Condition, IReadOnlyList<Tensor> Prompt, Canvas Canvas)
{
    /// <summary>How many examples there are.</summary>
    public int Count => (int)Latents.shape[0];
}
