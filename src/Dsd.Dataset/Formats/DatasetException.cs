namespace Dsd.Dataset.Formats;

/// <summary>A dataset that cannot be read or written as it is.</summary>
public sealed class DatasetException : Exception
{
    /// <summary>Names the place (file, row, column), what was expected there and what was found.</summary>
    public DatasetException(string place, string expected, string found, Exception? inner = null)
        : base($"Dataset {place}: expected {expected}, found {found}.", inner)
    {
        Place = place;
    }

    /// <summary>The file, row and column.</summary>
    public string Place { get; }
}
