namespace Dsd.Dataset.Formats;

/// <summary>One row of a dataset: a reference, what to draw from it, and the words for that.</summary>
public sealed record PairRecord
{
    /// <summary>Where the row lies, for messages: the file, and which row of it.</summary>
    public required string Source { get; init; }

    /// <summary>The target: the picture that training learns to draw. Column <c>image</c>.</summary>
    public required EncodedPicture Image { get; init; }

    /// <summary>The reference: the picture that shows the subject. Column <c>conditioning</c>.</summary>
    public required EncodedPicture Conditioning { get; init; }

    /// <summary>What the target shows. Column <c>caption</c>.</summary>
    public required string Caption { get; init; }

    /// <summary>Where the pair comes from and what was said of it; nothing in it where the dataset says nothing.</summary>
    public PairDetails Details { get; init; } = new();
}
