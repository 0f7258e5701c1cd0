using Dsd.Common.Options;
using Dsd.Evaluation.Pictures;

namespace Dsd.Evaluation.Encoders;

/// <summary>How an encoder is exported.</summary>
public sealed record EncoderExportOptions
{
    /// <summary>
    /// Attention heads of CSD's network, whose files do not say it, 1 to 1024. Null, the default: one for each 64 channels, as in every published one. Not for
    /// other encoders, whose configs say it.
    /// </summary>
    public int? Heads { get; init => field = OptionCheck.RangeOrNull(value, 1, 1024, nameof(Heads)); }

    /// <summary>
    /// Whose arithmetic scales pictures. Null, the default: that of the encoder's own code, which is torchvision's in bytes for CLIP and DINOv2 (transformers
    /// 5), Pillow's for DINO, torchvision's in real numbers for CSD.
    /// </summary>
    public Resampling? Resampling { get; init => field = OptionCheck.DefinedOrNull(value, nameof(Resampling)); }

    /// <summary>Replace an earlier export of an encoder in the target folder. Default false.</summary>
    public bool Overwrite { get; init; }
}
