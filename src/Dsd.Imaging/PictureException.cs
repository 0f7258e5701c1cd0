namespace Dsd.Imaging;

/// <summary>Bytes that should be a picture and are not, or are one that is too large.</summary>
public sealed class PictureException : Exception
{
    /// <summary>Names the source, what was expected there and what was found.</summary>
    public PictureException(string source, string expected, string found)
        : base($"Picture '{source}': expected {expected}, found {found}.")
    {
        PictureSource = source;
    }

    /// <summary>The file, column and row, or entry that the bytes came from.</summary>
    public string PictureSource { get; }
}
