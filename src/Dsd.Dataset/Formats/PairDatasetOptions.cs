namespace Dsd.Dataset.Formats;

/// <summary>What is read of a dataset. The defaults are the published layout's names.</summary>
public sealed record PairDatasetOptions
{
    internal const string HowToLeaveOut = $"If it is not one of ours, set the option {nameof(ReadDetails)} to false ('--no-details' on the command line)";

    /// <summary>
    /// The column with the target, which training learns to draw. In an imagefolder it is the file's column without <c>_file_name</c>
    /// (<c>file_name</c> alone is <c>image</c>), in a tar the member's name. Default <c>image</c>.
    /// </summary>
    public string ImageColumn { get; init => field = Named(value, nameof(ImageColumn)); } = "image";

    /// <summary>The column with the reference. Default <c>conditioning</c>.</summary>
    public string ConditioningColumn { get; init => field = Named(value, nameof(ConditioningColumn)); } = "conditioning";

    /// <summary>The column with what the target shows. Default <c>caption</c>.</summary>
    public string CaptionColumn { get; init => field = Named(value, nameof(CaptionColumn)); } = "caption";

    /// <summary>
    /// Whether the columns of <see cref="DetailColumn.All"/>, and further references, are read where they are there; one of such a name that holds
    /// something else is refused. False leaves all columns but the three alone. Default true.
    /// </summary>
    public bool ReadDetails { get; init; } = true;

    /// <summary>
    /// The split that is read: <c>train</c>, <c>validation</c>, <c>test</c>, or the NAME of <c>data/NAME-00000-of-00001.parquet</c>. Files
    /// are told apart by the words in the names of folders and files that Hugging Face's <c>datasets</c> knows, such as <c>val</c> and
    /// <c>eval</c>. Null, the default: the only one; a folder with several is refused.
    /// </summary>
    public string? Split { get; init => field = value is null ? null : Named(value, nameof(Split)); }

    private static string Named(string? value, string option) =>
        !string.IsNullOrWhiteSpace(value) ? value : throw new ArgumentException($"Option {option} must not be empty.", option);
}
