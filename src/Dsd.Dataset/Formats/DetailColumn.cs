namespace Dsd.Dataset.Formats;

/// <summary>A column that a dataset has besides pictures and caption.</summary>
/// <param name="Name">Its name, the same in every layout.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Get">Its value in a row: a string, bool, double, int or list of strings as the kind says, or null.</param>
public sealed record DetailColumn(string Name, DetailKind Kind, Func<PairDetails, object?> Get)
{
    /// <summary>Whether it holds scores by axes, which are written only where <see cref="DatasetWriteOptions.IncludeAxes"/> is set.</summary>
    public bool IsAxis { get; private init; }

    /// <summary>All of them, in the order in which they are written.</summary>
    public static IReadOnlyList<DetailColumn> All { get; } =
    [
        new("id", DetailKind.Text, d => d.Id),
        new("pair_id", DetailKind.Text, d => d.PairId),
        new("caption_key", DetailKind.Text, d => d.CaptionKey),
        new("kept", DetailKind.Flag, d => d.Kept),
        new("reviewed", DetailKind.Text, d => d.Reviewed),
        new("status", DetailKind.Text, d => d.Status),
        new("same", DetailKind.Flag, d => d.Same),
        new("confidence", DetailKind.Number, d => d.Confidence),
        new("subject", DetailKind.Text, d => d.Subject),
        new("image_description", DetailKind.Text, d => d.ImageDescription),
        new("conditioning_description", DetailKind.Text, d => d.ConditioningDescription),
        new("differences", DetailKind.Texts, d => d.Differences),
        new("flags", DetailKind.Texts, d => d.Flags),
        new("reason", DetailKind.Text, d => d.Reason),
        new("judge", DetailKind.Text, d => d.Judge),
        new("model", DetailKind.Text, d => d.Model),
        new("votes", DetailKind.Count, d => d.Votes),
        // Numbers, not counts: where there is no score there is none, and 0 is one.
        new("axis_object_consistency", DetailKind.Number, d => d.ObjectConsistency) { IsAxis = true },
        new("axis_lowest_part", DetailKind.Number, d => d.LowestPart) { IsAxis = true },
        new("axis_image_quality", DetailKind.Number, d => d.ImageQuality) { IsAxis = true },
        new("axis_composition", DetailKind.Number, d => d.Composition) { IsAxis = true },
        new("axis_prompt_adherence", DetailKind.Number, d => d.PromptAdherence) { IsAxis = true },
        new("axis_parts", DetailKind.Texts, d => d.Parts) { IsAxis = true },
    ];

    /// <summary>Those that a dataset is written with.</summary>
    internal static IReadOnlyList<DetailColumn> Written(DatasetWriteOptions options) => [.. All.Where(c => options.IncludeAxes || !c.IsAxis)];

    /// <summary>The type in the words of Hugging Face's features; a list's is that of its items.</summary>
    internal string DType => Kind switch
    {
        DetailKind.Flag => "bool",
        DetailKind.Number => "float64",
        DetailKind.Count => "int32",
        _ => "string",
    };
}
