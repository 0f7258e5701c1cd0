using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Models.Weights;
using Dsd.Tiny.World;

namespace Dsd.Tiny;

/// <summary>What the networks have in common that read attributes off a picture: the judge's and the classifier's.</summary>
public abstract record ReadingConfig
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
    /// The side in pixels of the pictures that the network sees, between 32 and 512: a multiple of 8 for the judge, of 16 for the classifier. Default
    /// <see cref="TinyModel.PanelSize"/>.
    /// </summary>
    public int ImageSize
    {
        get;
        init => field = value is >= 32 and <= 512 && value % SideStep == 0
            ? value
            : throw Wrong(nameof(ImageSize), $"a multiple of {SideStep} between 32 and 512", value);
    } = TinyModel.PanelSize;

    /// <summary>
    /// Channels at a half, a quarter and an eighth of the picture's side: three multiples of 8 up to 512. Default 32, 64, 96 for the judge, 32, 48, 80 for the
    /// classifier.
    /// </summary>
    public IReadOnlyList<int> Channels
    {
        get;
        init => field = value is { Count: 3 } && value.All(c => c is >= 8 and <= 512 && c % 8 == 0)
            ? [.. value]
            : throw Wrong(nameof(Channels), "three multiples of 8 between 8 and 512", string.Join(", ", value ?? []));
    } = [];

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

    private protected abstract int SideStep { get; }

    /// <summary>Writes the config: whole, or not at all.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, this, GetType(), Json));

    private protected static T Load<T>(string path, string what)
        where T : ReadingConfig
    {
        ReadOnlySpan<byte> json = SmallFile.Utf8(path, MaxBytes, (expected, found) => new WeightsException(path, expected, found)).Span;
        try
        {
            return JsonSerializer.Deserialize<T>(json, Json) ?? throw new WeightsException(path, "a JSON object", "null");
        }
        catch (JsonException e)
        {
            throw new WeightsException(path, what, JsonFault.Of(e));
        }
        catch (ArgumentException e)
        {
            throw new WeightsException(path, what, e.Message.TrimEnd('.'), e);
        }
    }

    private protected static ArgumentException Wrong(string option, string expected, object found) =>
        new($"Option {option} must be {expected}, but is {found}.", option);
}
