using Dsd.Common.Options;

namespace Dsd.Curation.Judging;

/// <summary>Who judges, by which rule, and what is kept: part of a <see cref="Chat.ChatSettings"/> file.</summary>
public sealed record JudgePanel : JudgeSettings
{
    /// <summary>The models that are asked, by their names in the file, or by a name that the program knows, such as <c>tiny</c>. At least one.</summary>
    public required IReadOnlyList<string> Ask { get; init => field = OptionCheck.Texts(value, 1, nameof(Ask)); }

    /// <summary>How several of them come to one verdict. Default <see cref="JudgeRule.Majority"/>.</summary>
    public JudgeRule Rule { get; init => field = OptionCheck.Defined(value, nameof(Rule)); }

    /// <summary>
    /// With <see cref="JudgeRule.Cascade"/>, the confidence from which the earlier judge's verdict is enough: see <see cref="CascadeJudge"/>.
    /// 0 to 1, default 0.9.
    /// </summary>
    public double Sure { get; init => field = OptionCheck.Range(value, 0.0, 1.0, nameof(Sure)); } = 0.9;
}
