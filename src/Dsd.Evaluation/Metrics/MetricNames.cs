using Dsd.Evaluation.Encoders;

namespace Dsd.Evaluation.Metrics;

/// <summary>What the metrics are called in columns, results and on the command line.</summary>
public static class MetricNames
{
    /// <summary>The cosine of two pictures' CLIP embeddings.</summary>
    public const string ClipI = "clip-i";

    /// <summary>The cosine of a picture's and its prompt's CLIP embeddings.</summary>
    public const string ClipT = "clip-t";

    /// <summary>The cosine of two pictures' DINO embeddings.</summary>
    public const string Dino = "dino";

    /// <summary>The cosine of two pictures' DINOv2 embeddings.</summary>
    public const string DinoV2 = "dinov2";

    /// <summary>The cosine of two pictures' style embeddings of CSD.</summary>
    public const string Csd = "csd";

    /// <summary>How far a picture repeats its reference: <see cref="Similarity.CopyPaste"/>.</summary>
    public const string CopyPaste = "copy-paste";

    /// <summary>DreamBench++'s concept preservation, as a judge scores it.</summary>
    public const string ConceptPreservation = "cp";

    /// <summary>DreamBench++'s prompt following, as a judge scores it.</summary>
    public const string PromptFollowing = "pf";

    /// <summary>What the similarity of two pictures is called after its encoder.</summary>
    public static string Of(EncoderKind kind) => kind switch
    {
        EncoderKind.Clip => ClipI,
        EncoderKind.Dino => Dino,
        EncoderKind.DinoV2 => DinoV2,
        EncoderKind.Csd => Csd,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such encoder."),
    };
}
