namespace Dsd.Dataset.Formats;

/// <summary>What a column of <see cref="DetailColumn.All"/> holds.</summary>
public enum DetailKind
{
    /// <summary>A text.</summary>
    Text,

    /// <summary>True or false.</summary>
    Flag,

    /// <summary>A number with a fraction.</summary>
    Number,

    /// <summary>A whole number.</summary>
    Count,

    /// <summary>A list of texts.</summary>
    Texts,
}
