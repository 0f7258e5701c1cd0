using Dsd.Common.Options;
using Dsd.MLNet.Stages.Rows;

namespace Dsd.MLNet;

/// <summary>How a <see cref="PairCurator"/> judges pairs and names its columns.</summary>
public sealed record PairCuratorOptions : JudgingStageOptions
{
    /// <summary>The image column with the first picture of the pair. Default <c>Reference</c>.</summary>
    public string ReferenceColumn { get; init => field = OptionCheck.Text(value, nameof(ReferenceColumn)); } = "Reference";

    /// <summary>The image column with the second. Default <c>Target</c>.</summary>
    public string TargetColumn { get; init => field = OptionCheck.Text(value, nameof(TargetColumn)); } = "Target";

    /// <summary>What becomes of rows that cannot be judged because of what they hold. Default <see cref="BadRows.Fail"/>.</summary>
    public BadRows BadRows { get; init => field = OptionCheck.Defined(value, nameof(BadRows)); }

    /// <summary>The added text column that says what is wrong with a row, for <see cref="BadRows.Mark"/>. Default <c>Error</c>.</summary>
    public string ErrorColumn { get; init => field = OptionCheck.Text(value, nameof(ErrorColumn)); } = "Error";

    /// <summary>What becomes of bad rows.</summary>
    internal RowPolicy Policy => new(BadRows, ErrorColumn);
}
