namespace Dsd.Curation.Judging;

/// <summary>Who judges, together how, and what is kept: part of a <see cref="Chat.ChatSettings"/> file.</summary>
public sealed record JudgePanel
{
    /// <summary>The models that are asked, by their names in the file, or by a name that the program knows, such as <c>tiny</c>. At least one.</summary>
    public required IReadOnlyList<string> Ask { get; init => field = Check.Texts(value, 1, nameof(Ask)); }

    /// <summary>How several of them come to one verdict. Default <see cref="JudgeRule.Majority"/>.</summary>
    public JudgeRule Rule { get; init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(Rule), value, $"Option {nameof(Rule)} must be one of {string.Join(", ", Enum.GetNames<JudgeRule>())}, but is {value}."); }

    /// <summary>With <see cref="JudgeRule.Cascade"/>, the confidence from which the earlier judge's word is enough: see <see cref="CascadeJudge"/>. 0 to 1, default 0.9.</summary>
    public double Sure { get; init => field = Check.Range(value, 0.0, 1.0, nameof(Sure)); } = 0.9;

    /// <summary>The least confidence of a pair that is kept: see <see cref="PairJudgeOptions.Threshold"/>. Default 0.8.</summary>
    public double Threshold { get; init; } = 0.8;

    /// <summary>The longer side of pictures that are sent, at most: see <see cref="PairJudgeOptions.MaxImageSide"/>. Default 768.</summary>
    public int MaxImageSide { get; init; } = 768;

    /// <summary>What pictures are sent as. Default PNG.</summary>
    public PictureFormat Format { get; init; }

    /// <summary>Quality of JPEG, 1 to 100. Default 90.</summary>
    public int JpegQuality { get; init; } = 90;

    /// <summary>A text file with instructions in place of the task's. Null, the default: the task's.</summary>
    public string? InstructionsFile { get; init; }
}
