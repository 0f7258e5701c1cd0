using System.Text.Json;
using System.Text.RegularExpressions;

namespace Dsd.Imaging;

/// <summary>What is wrong with a JSON text, in words for its reader: the place in it, and no type of the program.</summary>
internal static partial class JsonFault
{
    /// <summary>The fault, to stand behind "found".</summary>
    public static string Of(JsonException e)
    {
        string message = e.Message;
        string place = Place(e);
        if (Missing().Match(message) is { Success: true } missing)
        {
            return $"no field {missing.Groups[1].Value.TrimEnd('.')}{place}";
        }
        if (message.Contains("could not be converted", StringComparison.Ordinal))
        {
            return $"a value of another kind than is needed{place}";
        }
        if (message.Contains("uplicate propert", StringComparison.Ordinal))
        {
            return $"a field twice{(place.Length > 0 ? place : Named().Match(message).Value)}";
        }
        if (Unknown().Match(message) is { Success: true } unknown)
        {
            return $"an unknown field '{unknown.Groups[1].Value}'{place}";
        }
        // The library adds the place at the end, in words of its own.
        return $"{Tail().Replace(message, "").TrimEnd('.', ' ')}{place}";
    }

    private static string Place(JsonException e)
    {
        string path = e.Path is { Length: > 1 } ? $" at '{e.Path}'" : "";
        return e.LineNumber is { } line ? $"{path} in line {line + 1}" : path;
    }

    [GeneratedRegex(@"missing required properties including: (.+?)(?: Path:| LineNumber:|$)", RegexOptions.Singleline)]
    private static partial Regex Missing();

    [GeneratedRegex(@"The JSON property '(.+?)' could not be mapped", RegexOptions.Singleline)]
    private static partial Regex Unknown();

    [GeneratedRegex(@" '.+?'")]
    private static partial Regex Named();

    [GeneratedRegex(@" (?:Path: .*|LineNumber: \d+.*)$", RegexOptions.Singleline)]
    private static partial Regex Tail();
}
