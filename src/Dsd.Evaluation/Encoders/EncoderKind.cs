namespace Dsd.Evaluation.Encoders;

/// <summary>The published networks that turn a picture into a vector here.</summary>
public enum EncoderKind
{
    /// <summary>CLIP, with towers for pictures and for texts.</summary>
    Clip,

    /// <summary>DINO of 2021, as transformers' <c>ViTModel</c>.</summary>
    Dino,

    /// <summary>DINOv2.</summary>
    DinoV2,

    /// <summary>CSD: contrastive style descriptors.</summary>
    Csd,
}
