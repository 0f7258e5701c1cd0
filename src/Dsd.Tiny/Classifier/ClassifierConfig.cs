using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Models.Weights;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Classifier;

/// <summary>What a <see cref="ClassifierNetwork"/> looks like: the content of <c>classifier/config.json</c>.</summary>
public sealed record ClassifierConfig
{
    private const int MaxBytes = 256 * 1024;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
        AllowDuplicateProperties = false,
    };

    /// <summary>
    /// The side in pixels of the pictures that the network sees, a multiple of 16 between 32 and 512. Default <see cref="TinyModel.PanelSize"/>.
    /// </summary>
    public int ImageSize
    {
        get;
        init => field = value is >= 32 and <= 512 && value % 16 == 0 ? value : throw Wrong(nameof(ImageSize), "a multiple of 16 between 32 and 512", value);
    } = TinyModel.PanelSize;

    /// <summary>Channels at a half, a quarter and an eighth of the picture's side: three multiples of 8 up to 512. Default 32, 48, 80.</summary>
    public IReadOnlyList<int> Channels
    {
        get;
        init => field = value is { Count: 3 } && value.All(c => c is >= 8 and <= 512 && c % 8 == 0)
            ? [.. value]
            : throw Wrong(nameof(Channels), "three multiples of 8 between 8 and 512", string.Join(", ", value ?? []));
    } = [32, 48, 80];

    /// <summary>The attributes that the network reads, one head each: at most 64, each with 2 to 256 values.</summary>
    public required IReadOnlyList<AttributeKind> Attributes
    {
        get;
        init => field = value is { Count: >= 1 and <= 64 } && value.All(kind => kind is { Name.Length: > 0, ValueNames.Count: >= 2 and <= 256 })
            && value.DistinctBy(kind => kind.Name).Count() == value.Count
            ? [.. value]
            : throw Wrong(nameof(Attributes), "1 to 64 attributes of different names, each with 2 to 256 values", value is null
                ? "null"
                : string.Join(", ", value));
    }

    /// <summary>The config for the attributes of the small world's subjects and contexts.</summary>
    public static ClassifierConfig ForWorld { get; } = new() { Attributes = [.. Subject.Kinds, .. Context.Kinds] };

    /// <summary>Reads a config.</summary>
    /// <exception cref="WeightsException">The file is too large, is no JSON, or describes no network.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ClassifierConfig Load(string path)
    {
        ReadOnlySpan<byte> json = SmallFile.Utf8(path, MaxBytes, (expected, found) => new WeightsException(path, expected, found)).Span;
        try
        {
            return JsonSerializer.Deserialize<ClassifierConfig>(json, Json) ?? throw new WeightsException(path, "a JSON object", "null");
        }
        catch (JsonException e)
        {
            throw new WeightsException(path, "a classifier's config", JsonFault.Of(e));
        }
        catch (ArgumentException e)
        {
            throw new WeightsException(path, "a classifier's config", e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Writes the config: whole, or not at all.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, this, Json));

    /// <summary>Whether the attributes are exactly the world's, with the same values in the same order.</summary>
    public bool IsOfWorld => Attributes.Count == ForWorld.Attributes.Count
        && Attributes.Zip(ForWorld.Attributes).All(pair => pair.First.Name == pair.Second.Name && pair.First.ValueNames.SequenceEqual(pair.Second.ValueNames));

    private static ArgumentException Wrong(string option, string expected, object found) => new($"Option {option} must be {expected}, but is {found}.", option);
}
