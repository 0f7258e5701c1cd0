using Dsd.Common.Options;

namespace Dsd.Curation.Judging;

/// <summary>What judging needs to know whoever judges: which pairs are kept, and how pictures are sent.</summary>
public record JudgeSettings
{
    /// <summary>The least confidence at which a pair that shows the same subject is kept, 0 to 1. Default 0.8.</summary>
    public double Threshold { get; init => field = OptionCheck.Range(value, 0.0, 1.0, nameof(Threshold)); } = 0.8;

    /// <summary>Pictures whose longer side exceeds this many pixels are sent scaled down to it; 32 to 4096. Default 768.</summary>
    public int MaxImageSide { get; init => field = OptionCheck.Range(value, 32, 4096, nameof(MaxImageSide)); } = 768;

    /// <summary>What pictures are sent as. Default PNG.</summary>
    public PictureFormat Format { get; init => field = OptionCheck.Defined(value, nameof(Format)); }

    /// <summary>Quality of JPEG, 1 to 100. Default 90.</summary>
    public int JpegQuality { get; init => field = OptionCheck.Range(value, 1, 100, nameof(JpegQuality)); } = 90;

    /// <summary>
    /// A UTF-8 text file of at most 64 KB with instructions to the judge. The form of the answer stays.
    /// Null, the default: the instructions of the task, else the built-in ones.
    /// </summary>
    public string? InstructionsFile { get; init; }
}
