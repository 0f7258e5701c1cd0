namespace Dsd.Dataset.Formats;

/// <summary>
/// Where a pair comes from and what judges and people said of it: a dataset's columns besides pictures and caption. What a dataset lacks is
/// null.
/// </summary>
public sealed record PairDetails
{
    /// <summary>The row's own name: the grid's, and both panels, the reference first, such as <c>KEY~0~1-0</c>. Column <c>id</c>.</summary>
    public string? Id { get; init; }

    /// <summary>The pair's name in the ledger: both rows of a pair that is used both ways round have it. Column <c>pair_id</c>.</summary>
    public string? PairId { get; init; }

    /// <summary>
    /// The key of the caption that the run began with. Rows that share it show the same subject: split datasets by it. Column
    /// <c>caption_key</c>.
    /// </summary>
    public string? CaptionKey { get; init; }

    /// <summary>Whether the pair is kept for training, by the person's verdict, else the judge's. Column <c>kept</c>.</summary>
    public bool? Kept { get; init; }

    /// <summary>What a person said: <c>kept</c>, <c>rejected</c>, or <c>none</c> where nobody looked. Column <c>reviewed</c>.</summary>
    public string? Reviewed { get; init; }

    /// <summary>
    /// Whether the judge came to a verdict: <c>decided</c> or <c>undecided</c>, or <c>too_different</c> or <c>near_copy</c> where a gate kept the pair from it.
    /// Column <c>status</c>.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>Whether the judge found the same subject in both. Null where it came to no verdict. Column <c>same</c>.</summary>
    public bool? Same { get; init; }

    /// <summary>How sure the judge was, 0 to 1. Null where it came to no verdict. Column <c>confidence</c>.</summary>
    public double? Confidence { get; init; }

    /// <summary>The subject that both have in common, as the judge puts it. Column <c>subject</c>.</summary>
    public string? Subject { get; init; }

    /// <summary>How the target shows the subject, as the judge puts it. Column <c>image_description</c>.</summary>
    public string? ImageDescription { get; init; }

    /// <summary>How the reference shows the subject, as the judge puts it. Column <c>conditioning_description</c>.</summary>
    public string? ConditioningDescription { get; init; }

    /// <summary>What tells the two apart, as the judge puts it, in which A is the earlier panel of the grid. Column <c>differences</c>.</summary>
    public IReadOnlyList<string>? Differences { get; init; }

    /// <summary>Faults of the pictures, such as <c>near_copy</c>. Column <c>flags</c>.</summary>
    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>One line that says why the pair is kept or not. Column <c>reason</c>.</summary>
    public string? Reason { get; init; }

    /// <summary>The judge whose verdict this is. Column <c>judge</c>.</summary>
    public string? Judge { get; init; }

    /// <summary>The model that it asked, as that names itself. Column <c>model</c>.</summary>
    public string? Model { get; init; }

    /// <summary>How many votes were taken on the pair. Column <c>votes</c>.</summary>
    public int? Votes { get; init; }

    /// <summary>Whether both pictures show the very same subject, taken as a whole, 0 to 4. Column <c>axis_object_consistency</c>.</summary>
    public double? ObjectConsistency { get; init; }

    /// <summary>The lowest score of the subject's parts, 0 to 4. Column <c>axis_lowest_part</c>.</summary>
    public double? LowestPart { get; init; }

    /// <summary>How clear the worse picture is, and how free of damage, 0 to 4. Column <c>axis_image_quality</c>.</summary>
    public double? ImageQuality { get; init; }

    /// <summary>Whether each picture stands alone, and they are no copies, 0 to 4. Column <c>axis_composition</c>.</summary>
    public double? Composition { get; init; }

    /// <summary>How well the worse picture shows what its caption says, 0 to 4. Column <c>axis_prompt_adherence</c>.</summary>
    public double? PromptAdherence { get; init; }

    /// <summary>
    /// Each part of the subject with its score of 0 to 4 and how it differs: <c>ears: 4, none</c>. Column <c>axis_parts</c>.
    /// </summary>
    public IReadOnlyList<string>? Parts { get; init; }

    /// <summary>The details of a row, column by column.</summary>
    /// <param name="value">The value of a column by its name; null where there is none.</param>
    internal static PairDetails Of(Func<string, object?> value) => new()
    {
        Id = (string?)value("id"),
        PairId = (string?)value("pair_id"),
        CaptionKey = (string?)value("caption_key"),
        Kept = (bool?)value("kept"),
        Reviewed = (string?)value("reviewed"),
        Status = (string?)value("status"),
        Same = (bool?)value("same"),
        Confidence = (double?)value("confidence"),
        Subject = (string?)value("subject"),
        ImageDescription = (string?)value("image_description"),
        ConditioningDescription = (string?)value("conditioning_description"),
        Differences = (IReadOnlyList<string>?)value("differences"),
        Flags = (IReadOnlyList<string>?)value("flags"),
        Reason = (string?)value("reason"),
        Judge = (string?)value("judge"),
        Model = (string?)value("model"),
        Votes = (int?)value("votes"),
        ObjectConsistency = (double?)value("axis_object_consistency"),
        LowestPart = (double?)value("axis_lowest_part"),
        ImageQuality = (double?)value("axis_image_quality"),
        Composition = (double?)value("axis_composition"),
        PromptAdherence = (double?)value("axis_prompt_adherence"),
        Parts = (IReadOnlyList<string>?)value("axis_parts"),
    };
}
