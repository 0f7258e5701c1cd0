namespace Dsd.Lab.Training;

/// <summary>The autoencoder's stage.</summary>
internal sealed record VaeStageConfig : StageConfig
{
    /// <summary>Channels of each level.</summary>
    public required IReadOnlyList<int> BlockOutChannels { get; init; }

    /// <summary>Groups of every group normalisation.</summary>
    public required int NormNumGroups { get; init; }

    /// <summary>Channels of the latent.</summary>
    public required int LatentChannels { get; init; }

    /// <summary>Weight of the divergence from a standard normal, per latent number.</summary>
    public required double KlWeight { get; init; }

    /// <summary>
    /// True to leave the encoder of the weights in the folder as it is, and the scale of its latents with it, so that a teacher trained on them still fits.
    /// </summary>
    public required bool DecoderAlone { get; init; }
}
