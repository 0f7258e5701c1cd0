namespace Dsd.Models.Residency;

/// <summary>What of a model lies in a GPU's memory, and what waits in the host's: docs/decisions/memory-modes.md has figures.</summary>
public enum MemoryMode
{
    /// <summary>Everything lies on the device. The fastest.</summary>
    Resident,

    /// <summary>
    /// What a step of the transformer does not need waits in the host's memory: the text encoders, the autoencoder, and the transformer's
    /// modulations, a quarter of its weights, which are computed once a generation. T5 passes through the GPU block by block.
    /// </summary>
    IdleOnHost,

    /// <summary>
    /// As <see cref="IdleOnHost"/>, and the transformer's blocks pass through the GPU too, one being copied while another computes. The smallest.
    /// </summary>
    Streamed,
}
