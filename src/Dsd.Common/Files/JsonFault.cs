using System.Text.Json;
using System.Text.RegularExpressions;

namespace Dsd.Common.Files;

/// <summary>Says what is wrong with a JSON text, for the person who wrote it: the place and the fault, without the names of types in the program.</summary>
public static partial class JsonFault
{
    /// <summary>Describes the fault, in words that fit behind "found".</summary>
    /// <param name="e">What the reader of JSON threw.</param>
    /// <returns>The fault with its path and line, as far as they are known.</returns>
    public static string Of(JsonException e)
    {
        ArgumentNullException.ThrowIfNull(e);
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
        // The library puts the place at the end, in other words.
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
