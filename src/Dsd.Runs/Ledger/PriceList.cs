using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Files;

namespace Dsd.Runs.Ledger;

/// <summary>What models take for their tokens, and so what judging cost.</summary>
/// <remarks>As a file, JSON: <c>{"some-model": {"input": 2.5, "output": 10}}</c>, prices of a million tokens each, in whatever currency.</remarks>
public sealed class PriceList
{
    private const long MaxBytes = 1024 * 1024;
    private static readonly PriceListJson Strict = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        AllowTrailingCommas = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
    });

    private readonly IReadOnlyDictionary<string, ModelPrice> _prices;

    /// <summary>A list of prices by the models' names.</summary>
    /// <exception cref="ArgumentException">It is empty, or a price is negative or no number.</exception>
    public PriceList(IReadOnlyDictionary<string, ModelPrice> prices)
    {
        ArgumentNullException.ThrowIfNull(prices);
        if (prices.Count == 0)
        {
            throw new ArgumentException("A price list needs at least one model.", nameof(prices));
        }
        foreach ((string model, ModelPrice price) in prices)
        {
            if (price is not { Input: >= 0 and < 1e9, Output: >= 0 and < 1e9 })
            {
                throw new ArgumentException(
                    $"Model '{model}': expected prices from 0 for a million tokens, found {price?.Input} for input and {price?.Output} for output.",
                    nameof(prices));
            }
        }
        _prices = prices.ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>The models, by name.</summary>
    public IReadOnlyDictionary<string, ModelPrice> Prices => _prices;

    /// <summary>Reads a list from a JSON file of at most 1 MB.</summary>
    /// <exception cref="InvalidDataException">The file is no price list; the message says where.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PriceList Load(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        ReadOnlyMemory<byte> json = SmallFile.Utf8(
            file, MaxBytes, (expected, found) => new InvalidDataException($"Price list '{file}': expected {expected}, found {found}."));
        try
        {
            return new PriceList(
                JsonSerializer.Deserialize(json.Span, Strict.DictionaryStringModelPrice)
                ?? throw new InvalidDataException($"Price list '{file}': expected an object, found null."));
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException(
                $"Price list '{file}': expected {{\"model\": {{\"input\": 2.5, \"output\": 10}}, …}}, prices of a million tokens. {e.Message}", e);
        }
    }

    /// <summary>What so many tokens of a model cost; null where the list does not have it.</summary>
    public double? CostOf(string? model, long inputTokens, long outputTokens) =>
        model is not null && _prices.TryGetValue(model, out ModelPrice? price) ? (inputTokens * price.Input + outputTokens * price.Output) / 1e6 : null;
}

[JsonSerializable(typeof(Dictionary<string, ModelPrice>))]
internal sealed partial class PriceListJson : JsonSerializerContext;
