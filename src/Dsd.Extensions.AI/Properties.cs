using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Dsd.Extensions.AI;

/// <summary>Reads the additional properties of a request, and refuses those that nobody asked for.</summary>
internal sealed class Properties(AdditionalPropertiesDictionary? given)
{
    private readonly HashSet<string> _known = [];

    public long? Whole(string key)
    {
        return Number(key) is not { } number
            ? null
            : number == decimal.Truncate(number) && number is >= long.MinValue and <= long.MaxValue
                ? (long)number
                : throw Wrong(key, "a whole number", number);
    }

    public float? Real(string key) => Number(key) is { } number ? (float)number : null;

    public T? Object<T>(string key)
        where T : class =>
        Take(key) switch
        {
            null => null,
            T it => it,
            { } other => throw Wrong(key, $"an object of type {typeof(T).Name.Split('`')[0]}", other),
        };

    /// <summary>Refuses what no call has asked for.</summary>
    public void RequireAllKnown()
    {
        if (given?.Keys.FirstOrDefault(key => !_known.Contains(key)) is { } unknown)
        {
            throw new DsdImageRequestException(
                unknown, $"There is no additional property '{unknown}'. Known are {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
        }
    }

    private decimal? Number(string key)
    {
        object? value = Take(key);
        try
        {
            return value switch
            {
                null => null,
                JsonElement { ValueKind: JsonValueKind.Null } => null,
                JsonElement { ValueKind: JsonValueKind.Number } json when json.TryGetDecimal(out decimal number) => number,
                JsonElement { ValueKind: JsonValueKind.String } json => decimal.Parse(json.GetString()!, NumberStyles.Float, CultureInfo.InvariantCulture),
                string text => decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
                IConvertible number and not bool and not char => Convert.ToDecimal(number, CultureInfo.InvariantCulture),
                _ => throw Wrong(key, "a number", value),
            };
        }
        catch (Exception e) when (e is FormatException or OverflowException or InvalidCastException)
        {
            throw Wrong(key, "a number", value!);
        }
    }

    private object? Take(string key)
    {
        _known.Add(key);
        return given?.GetValueOrDefault(key);
    }

    private static DsdImageRequestException Wrong(string key, string expected, object found)
    {
        string text = Convert.ToString(found, CultureInfo.InvariantCulture) ?? "";
        return new(key, $"'{key}' must be {expected}, but is '{(text.Length > 60 ? text[..60] + "…" : text)}'.");
    }
}
