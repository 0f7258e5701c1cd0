namespace Dsd.Evaluation.Running;

/// <summary>A generated picture and what it is compared with.</summary>
public sealed record EvaluationItem
{
    /// <summary>The picture's path below the system's folder, without its ending and with forward slashes: the same for all systems.</summary>
    public required string Key { get; init; }

    /// <summary>Whom it shows: the folder of the picture, with the category's before it, or the picture's name where it lies in no folder.</summary>
    public required string Subject { get; init; }

    /// <summary>The subject's kind; null where the folders name none.</summary>
    public string? Category { get; init; }

    /// <summary>The file of the picture of the subject.</summary>
    public required string ReferenceFile { get; init; }

    /// <summary>The files of further given pictures, for metrics that look at all of them. Default none.</summary>
    public IReadOnlyList<string> FurtherReferenceFiles { get; init; } = [];

    /// <summary>The file of a true picture, which shows what was meant; null, the default, where there is none.</summary>
    public string? TruthFile { get; init; }

    /// <summary>The file of the generated picture.</summary>
    public required string GeneratedFile { get; init; }

    /// <summary>What it should show; null where nobody says.</summary>
    public string? Prompt { get; init; }
}
