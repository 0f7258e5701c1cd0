using Dsd.Common.Options;

namespace Dsd.MLNet;

/// <summary>How a <see cref="PairCurator"/> judges pairs and names its columns.</summary>
public sealed record PairCuratorOptions : JudgingStageOptions
{
    /// <summary>The image column with the first picture of the pair. Default <c>Reference</c>.</summary>
    public string ReferenceColumn { get; init => field = OptionCheck.Text(value, nameof(ReferenceColumn)); } = "Reference";

    /// <summary>The image column with the second. Default <c>Target</c>.</summary>
    public string TargetColumn { get; init => field = OptionCheck.Text(value, nameof(TargetColumn)); } = "Target";
}
