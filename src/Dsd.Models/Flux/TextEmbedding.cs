using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>A batch of prompts as the transformer takes it.</summary>
/// <param name="Text">T5's last hidden state: [batch, tokens, channels].</param>
/// <param name="Pooled">CLIP's pooled output: [batch, channels].</param>
public sealed record TextEmbedding(Tensor Text, Tensor Pooled) : IDisposable
{
    /// <summary>Frees both tensors.</summary>
    public void Dispose()
    {
        Text.Dispose();
        Pooled.Dispose();
    }
}
