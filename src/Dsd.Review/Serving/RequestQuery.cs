using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Dsd.Review.Serving;

/// <summary>What a request asks for behind the question mark, read strictly: nothing is accepted and then not heeded.</summary>
internal sealed class RequestQuery
{
    private readonly IQueryCollection _values;

    private RequestQuery(IQueryCollection values) => _values = values;

    /// <summary>A request's query.</summary>
    /// <param name="request">The request.</param>
    /// <param name="names">All that may stand in it, each at most once.</param>
    /// <exception cref="FormatException">Something else stands there, something twice, or bytes that are no UTF-8.</exception>
    public static RequestQuery Of(HttpRequest request, params ReadOnlySpan<string> names)
    {
        RequireText(request.QueryString.Value ?? "");
        foreach ((string name, StringValues values) in request.Query)
        {
            if (!names.Contains(name, StringComparer.Ordinal))
            {
                throw new FormatException(
                    $"'{name}': expected {(names.Length == 0 ? "nothing behind the question mark" : $"one of {string.Join(", ", names.ToArray())}")}.");
            }
            if (values.Count != 1)
            {
                throw new FormatException($"'{name}': expected it once, found it {values.Count} times.");
            }
        }
        return new RequestQuery(request.Query);
    }

    /// <summary>A text; null where it is empty or not there.</summary>
    public string? Text(string name) => _values[name].ToString() is { Length: > 0 } text ? text : null;

    /// <summary>A value by its name, in large or small letters; null where it is empty or not there.</summary>
    public T? Word<T>(string name)
        where T : struct, Enum
    {
        if (Text(name) is not { } text)
        {
            return null;
        }
        // Not by parsing alone, which takes numbers and lists such as 'kept,rejected' too.
        string? known = Enum.GetNames<T>().FirstOrDefault(n => string.Equals(n, text, StringComparison.OrdinalIgnoreCase));
        return known is null
            ? throw new FormatException($"'{name}': expected one of {string.Join(", ", Enum.GetNames<T>())}, found '{text}'.")
            : Enum.Parse<T>(known);
    }

    /// <summary>A number from 0 to 1; null where it is empty or not there.</summary>
    public double? Number(string name) =>
        Text(name) is not { } text ? null
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value is >= 0 and <= 1 ? value
        : throw new FormatException($"'{name}': expected a number from 0 to 1, found '{text}'.");

    /// <summary>A whole number, which must be there.</summary>
    public int Whole(string name, int least, int most) =>
        int.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw new FormatException($"'{name}': expected a number from {least} to {most}, found '{Text(name)}'.");

    /// <summary>Whether a name without a value is there.</summary>
    public bool Switch(string name) =>
        _values.ContainsKey(name) && (Text(name) is not { } text ? true : throw new FormatException($"'{name}': expected no value, found '{text}'."));

    // What cannot be decoded would be looked for as it is written, percent signs and all.
    private static void RequireText(string query)
    {
        List<byte> bytes = [];
        for (int i = 0; i < query.Length; i++)
        {
            if (query[i] != '%')
            {
                bytes.Add((byte)Math.Min(query[i], '\x7f'));
            }
            else if (
                i + 2 < query.Length && byte.TryParse(query.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                throw new FormatException("The query holds a percent sign without two hexadecimal digits behind it.");
            }
        }
        try
        {
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetCharCount(bytes.ToArray());
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException("The query holds bytes that are no UTF-8.", e);
        }
    }
}
