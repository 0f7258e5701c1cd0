using static TorchSharp.torch;

namespace Dsd.Models.Families;

/// <summary>What a network is told of a batch of prompts.</summary>
/// <param name="Parts">The tensors that the family's text encoders give, [batch, …] each, in the family's order.</param>
public sealed record PromptEmbedding(IReadOnlyList<Tensor> Parts) : IDisposable
{
    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (Tensor part in Parts)
        {
            part.Dispose();
        }
    }
}
