namespace Dsd.Lab.Training;

/// <summary>Sizes of the text encoders, and the stage that teaches them to read before the teacher's. With 0 steps there is no such stage.</summary>
internal sealed record TextConfig : StageConfig
{
    /// <summary>Channels of the T5 encoder, which are the transformer's text channels.</summary>
    public required int T5Width { get; init; }

    /// <summary>Layers of the T5 encoder.</summary>
    public required int T5Layers { get; init; }

    /// <summary>Attention heads of the T5 encoder.</summary>
    public required int T5Heads { get; init; }

    /// <summary>Inner channels of the T5 encoder's feed-forward layers.</summary>
    public required int T5FeedForward { get; init; }

    /// <summary>Tokens that a prompt is padded or cut to.</summary>
    public required int T5Tokens { get; init; }

    /// <summary>Channels of the CLIP text model, which are the transformer's pooled channels.</summary>
    public required int ClipWidth { get; init; }

    /// <summary>Layers of the CLIP text model.</summary>
    public required int ClipLayers { get; init; }

    /// <summary>Attention heads of the CLIP text model.</summary>
    public required int ClipHeads { get; init; }

    /// <summary>Inner channels of the CLIP text model's feed-forward layers.</summary>
    public required int ClipFeedForward { get; init; }
}
