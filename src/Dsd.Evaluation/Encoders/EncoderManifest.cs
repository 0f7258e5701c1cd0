using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Files;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Weights;

namespace Dsd.Evaluation.Encoders;

/// <summary>What an encoder folder's <c>encoder.json</c> says.</summary>
internal sealed record EncoderManifest
{
    public const string FileName = "encoder.json";
    public const int Version = 1;
    private const int MostBytes = 1_000_000;
    private const int MostWidth = 65_536;
    private const int MostTokens = 65_536;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        NewLine = "\n",
        MaxDepth = 16,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>The version of this layout.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>What the encoder is.</summary>
    public required EncoderKind Kind { get; init; }

    /// <summary>Numbers of an embedding.</summary>
    public required int Width { get; init; }

    /// <summary>Ids of a text; null where texts are not encoded.</summary>
    public int? TextTokens { get; init; }

    /// <summary>What becomes of a picture before the network.</summary>
    public required PicturePreprocessing Preprocessing { get; init; }

    /// <summary>The name of what was exported.</summary>
    public required string Source { get; init; }

    /// <summary>The version of the tool that wrote the folder.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>Every file of the folder but this one, by its path with forward slashes, and its length in bytes.</summary>
    public required IReadOnlyDictionary<string, long> Files { get; init; }

    /// <summary>The SHA-256 of each of the <see cref="Files"/>, in hexadecimal digits.</summary>
    public required IReadOnlyDictionary<string, string> Sha256 { get; init; }

    public void Write(string folder) => AtomicFile.Write(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, Options));

    /// <summary>Reads and checks a folder's description, and that every file is there in full length.</summary>
    public static EncoderManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new WeightsException(
                folder, $"an encoder's folder with '{FileName}', as 'dsd export --encoder' writes it",
                Directory.Exists(folder) ? "no such file in it" : "no such folder");
        }
        ReadOnlySpan<byte> json = SmallFile.Utf8(path, MostBytes, (expected, found) => new WeightsException(path, expected, found)).Span;
        try
        {
            // The version comes first: another layout may lack what this one requires.
            int version = JsonSerializer.Deserialize<VersionOnly>(json, Options)?.FormatVersion ?? 0;
            if (version != Version)
            {
                throw new WeightsException(path, $"format_version {Version}", $"{version}. Export the encoder again with this version");
            }
            EncoderManifest manifest = JsonSerializer.Deserialize<EncoderManifest>(json, Options)!;
            manifest.Preprocessing.Validate();
            manifest.Check(folder, path);
            return manifest;
        }
        catch (JsonException e)
        {
            throw new WeightsException(path, "the description of an encoder's folder", JsonFault.Of(e));
        }
        catch (ArgumentException e)
        {
            throw new WeightsException(path, "preprocessing that can be done", e.Message.TrimEnd('.'), e);
        }
    }

    private void Check(string folder, string path)
    {
        if (Width is < 1 or > MostWidth || TextTokens is < 2 or > MostTokens)
        {
            throw new WeightsException(path, $"width 1 to {MostWidth} and text_tokens 2 to {MostTokens}", $"{Width} and {TextTokens}");
        }
        foreach ((string name, long length) in Files)
        {
            // The folder is all that may be looked at: a description must not lead to other places.
            if (Path.IsPathRooted(name) || name.Split('/', '\\').Contains(".."))
            {
                throw new WeightsException(path, "files of its own folder", $"'{name}'");
            }
            FileInfo part = new(Path.Combine(folder, name));
            if (!part.Exists || part.Length != length)
            {
                throw new WeightsException(
                    part.FullName, $"{length} bytes, as '{FileName}' says",
                    part.Exists ? $"{part.Length}. Export the encoder again" : "no such file. Export it again");
            }
        }
    }

    private sealed record VersionOnly
    {
        [JsonRequired]
        public int FormatVersion { get; init; }
    }
}
