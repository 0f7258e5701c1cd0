using System.Text.RegularExpressions;

namespace Dsd.CommandLine.Options;

/// <summary>Builds the library's option records, whose accessors check each value, and puts their complaints in terms of the command line.</summary>
public static partial class CheckedOptions
{
    /// <summary>Runs what builds an option record.</summary>
    /// <param name="build">Builds it.</param>
    /// <param name="strength">What the command line calls an adapter's strength, for messages.</param>
    /// <exception cref="UsageException">A value is out of its range.</exception>
    public static T Build<T>(Func<T> build, string strength = "Option '--lora': the strength")
    {
        try
        {
            return build();
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new UsageException(InOptions(ErrorText.OneLine(e), strength), e);
        }
    }

    private static string InOptions(string message, string strength) => OptionName().Replace(message, match =>
    {
        string name = match.Groups[1].Value;
        if (name == "Scale")
        {
            return strength;
        }
        return name.EndsWith("Width", StringComparison.Ordinal) || name.EndsWith("Height", StringComparison.Ordinal)
            ? $"Option '--size': {(name.EndsWith("Width", StringComparison.Ordinal) ? "width" : "height")}"
            : $"Option '--{WordStart().Replace(name, m => (m.Index == 0 ? "" : "-") + m.Value.ToLowerInvariant())}'";
    }, 1);

    [GeneratedRegex(@"^Option (\w+)")]
    private static partial Regex OptionName();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex WordStart();
}
