using static TorchSharp.torch;

namespace Dsd.Models.Families;

/// <summary>A batch of prompts as a network takes it.</summary>
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
