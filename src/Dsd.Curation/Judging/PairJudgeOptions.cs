using Microsoft.Extensions.AI;

namespace Dsd.Curation.Judging;

/// <summary>How pairs of pictures are judged, and which are kept.</summary>
public sealed record PairJudgeOptions
{
    /// <summary>The least confidence at which a pair that shows the same subject is kept, 0 to 1. Default 0.8.</summary>
    public double Threshold { get; init => field = Check.Range(value, 0.0, 1.0, nameof(Threshold)); } = 0.8;

    /// <summary>Pairs with one of these flags are not kept, whatever the verdict: 'near_copy', say. Default none.</summary>
    public IReadOnlyList<string> RejectedFlags { get; init => field = Check.Texts(value, 0, nameof(RejectedFlags)); } = [];

    /// <summary>Pictures whose longer side exceeds this many pixels are sent scaled down to it; 32 to 4096. Default 768.</summary>
    public int MaxImageSide { get; init => field = Check.Range(value, 32, 4096, nameof(MaxImageSide)); } = 768;

    /// <summary>What pictures are sent as. Default PNG.</summary>
    public PictureFormat Format
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(Format), value, $"Option {nameof(Format)} must be one of {string.Join(", ", Enum.GetNames<PictureFormat>())}, but is {value}.");
    }

    /// <summary>Quality of JPEG, 1 to 100. Default 90.</summary>
    public int JpegQuality { get; init => field = Check.Range(value, 1, 100, nameof(JpegQuality)); } = 90;

    /// <summary>What the judge is called in ledgers and reports, up to 64 characters. Null, the default: its model's name as the client gives it, else 'judge'.</summary>
    public string? Name
    {
        get;
        init => field = value is null or { Length: > 0 and <= 64 } ? value : throw new ArgumentException($"Option {nameof(Name)} must have 1 to 64 characters, but has {value.Length}.", nameof(Name));
    }

    /// <summary>Pairs that are judged at the same time, 1 to 256. Default 4.</summary>
    public int Concurrency { get; init => field = Check.Range(value, 1, 256, nameof(Concurrency)); } = 4;

    /// <summary>Instructions to use instead of the built-in ones, up to 64 KB; the form of the answer stays. Null, the default: the file's, else the built-in ones.</summary>
    public string? Instructions
    {
        get;
        init => field = value is null || (!string.IsNullOrWhiteSpace(value) && value.Length <= 64 * 1024)
            ? value
            : throw new ArgumentException($"Option {nameof(Instructions)} must hold a text of at most 65536 characters, but has {value.Length}.", nameof(Instructions));
    }

    /// <summary>A UTF-8 text file of at most 64 KB with instructions to use instead of the built-in ones. The form of the answer stays. Null: built-in.</summary>
    public string? InstructionsFile { get; init; }

    /// <summary>Model, temperature and the like. Copied for each request, never changed. Its <c>ResponseFormat</c> must be null.</summary>
    public ChatOptions? Chat { get; init => field = StructuredChat.WithoutFormat(value, nameof(Chat)); }
}
