using Dsd.Common.Options;

namespace Dsd.MLNet;

/// <summary>Which pairs <see cref="SubjectsLoaderCatalog.LoadSubjects"/> makes of a folder, and how it names the columns.</summary>
public sealed record SubjectsLoaderOptions
{
    /// <summary>Whether each two pictures of a subject give one row or, with either as the reference, two. Default true, two.</summary>
    public bool Ordered { get; init; } = true;

    /// <summary>
    /// The most pairs of one subject, 1 to 1,000,000. Of more, so many are taken, spread evenly over all, and the context's log says of which subject.
    /// Default 1000.
    /// </summary>
    public int MaxPairsPerSubject { get; init => field = OptionCheck.Range(value, 1, 1_000_000, nameof(MaxPairsPerSubject)); } = 1000;

    /// <summary>The image column with the reference. Default <c>Reference</c>.</summary>
    public string ReferenceColumn { get; init => field = OptionCheck.Text(value, nameof(ReferenceColumn)); } = "Reference";

    /// <summary>The image column with the target. Default <c>Target</c>.</summary>
    public string TargetColumn { get; init => field = OptionCheck.Text(value, nameof(TargetColumn)); } = "Target";

    /// <summary>The text column with the name of the subject's folder. Default <c>Subject</c>.</summary>
    public string SubjectColumn { get; init => field = OptionCheck.Text(value, nameof(SubjectColumn)); } = "Subject";

    /// <summary>
    /// The text column that says what the target shows: the text of the file <c>NAME.txt</c> beside the picture <c>NAME.png</c>, and the subject's name where
    /// there is none. Default <c>Prompt</c>.
    /// </summary>
    public string PromptColumn { get; init => field = OptionCheck.Text(value, nameof(PromptColumn)); } = "Prompt";

    /// <summary>The text column with the reference's path below the folder. Default <c>ReferencePath</c>.</summary>
    public string ReferencePathColumn { get; init => field = OptionCheck.Text(value, nameof(ReferencePathColumn)); } = "ReferencePath";

    /// <summary>The text column with the target's path below the folder. Default <c>TargetPath</c>.</summary>
    public string TargetPathColumn { get; init => field = OptionCheck.Text(value, nameof(TargetPathColumn)); } = "TargetPath";
}
