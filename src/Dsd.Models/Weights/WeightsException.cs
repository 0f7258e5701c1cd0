namespace Dsd.Models.Weights;

/// <summary>A model file or folder that does not hold what was expected of it.</summary>
public class WeightsException : Exception
{
    private const int Listed = 20;

    /// <summary>Names the file or folder, what was expected there and what was found.</summary>
    public WeightsException(string file, string expected, string found, Exception? inner = null)
        : this(file, $"'{file}': expected {expected}, found {found}.", inner)
    {
    }

    /// <summary>A whole message of the caller's own, and the file or folder that it is about.</summary>
    protected internal WeightsException(string file, string message, Exception? inner = null)
        : base(message, inner)
    {
        File = file;
    }

    /// <summary>The file or folder at fault.</summary>
    public string File { get; }

    /// <summary>As many of the items as a message can hold, and how many more there are.</summary>
    internal static string Some(IReadOnlyCollection<string> items, string separator = ", ") =>
        string.Join(separator, items.Take(Listed)) + (items.Count > Listed ? $"{separator}and {items.Count - Listed} more" : "");
}
