using System.Globalization;

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

    /// <summary>Further references of the same subject. Columns <c>conditioning_2</c>, <c>conditioning_3</c> and so on. Default none.</summary>
    public IReadOnlyList<EncodedPicture> FurtherConditioning { get; init; } = [];

    /// <summary>What the target shows. Column <c>caption</c>.</summary>
    public required string Caption { get; init; }

    /// <summary>Where the pair comes from and what was said of it; nothing in it where the dataset says nothing.</summary>
    public PairDetails Details { get; init; } = new();

    /// <summary>What the columns of further references are called, from the second reference on, as many as there can be.</summary>
    /// <param name="column">The first reference's.</param>
    internal static IEnumerable<string> FurtherColumns(string column) =>
        Enumerable.Range(2, DatasetWriteOptions.MostReferences - 1).Select(n => string.Create(CultureInfo.InvariantCulture, $"{column}_{n}"));
}
