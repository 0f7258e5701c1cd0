namespace Dsd.Curation.Judging;

/// <summary>A judge's answer that is no verdict.</summary>
public sealed class VerdictFormatException : FormatException
{
    /// <summary>Says which field is wrong, what was expected and what was found.</summary>
    public VerdictFormatException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
