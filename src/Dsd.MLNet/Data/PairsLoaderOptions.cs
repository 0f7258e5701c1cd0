using Dsd.Common.Options;
using Dsd.Dataset.Formats;

namespace Dsd.MLNet;

/// <summary>What <see cref="PairsLoaderCatalog.LoadPairs"/> reads, and how it names the columns.</summary>
public sealed record PairsLoaderOptions
{
    /// <summary>The dataset's own columns, and its split. The defaults are the published layout's names.</summary>
    public PairDatasetOptions Dataset { get; init => field = value ?? throw new ArgumentNullException(nameof(Dataset)); } = new();

    /// <summary>The image column with the subject. Default <c>Reference</c>.</summary>
    public string ReferenceColumn { get; init => field = OptionCheck.Text(value, nameof(ReferenceColumn)); } = "Reference";

    /// <summary>The image column with the target picture: the subject as the prompt describes it. Default <c>Target</c>.</summary>
    public string TargetColumn { get; init => field = OptionCheck.Text(value, nameof(TargetColumn)); } = "Target";

    /// <summary>The text column that says what the target shows. Default <c>Prompt</c>.</summary>
    public string PromptColumn { get; init => field = OptionCheck.Text(value, nameof(PromptColumn)); } = "Prompt";
}
