using Dsd.Models.Weights;

namespace Dsd.Tools.Doctor;

/// <summary>What a check came to.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Status">One of the words below.</param>
/// <param name="Found">What was found.</param>
/// <param name="Advice">What to do; empty where there is nothing to do.</param>
internal sealed record Finding(string Name, string Status, string Found, string Advice)
{
    /// <summary>All is well.</summary>
    public const string Ok = "ok";

    /// <summary>It works, or may work, and somebody should know.</summary>
    public const string Warning = "warning";

    /// <summary>It will not work.</summary>
    public const string Failed = "failed";

    /// <summary>It was not looked at, and why stands beside it.</summary>
    public const string Skipped = "skipped";

    /// <summary>Whether an exception says that what is looked at is at fault, and not this program.</summary>
    public static bool IsFault(Exception e) => e is WeightsException or IOException or UnauthorizedAccessException or ArgumentException;

    /// <summary>A check that went well.</summary>
    public static Finding Well(string name, string found) => new(name, Ok, found, "");
}
