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
        FolderDescription description = new(
            folder, FileName, "an encoder's folder", "'dsd export --encoder'", "the encoder",
            (path, expected, found) => new WeightsException(path, expected, found));
        EncoderManifest manifest = description.Read<EncoderManifest>(Version, MostBytes, Options);
        manifest.Check(description.Path);
        description.CheckFiles(manifest.Files, manifest.Sha256);
        return manifest;
    }

    private void Check(string path)
    {
        try
        {
            Preprocessing.Validate();
        }
        catch (ArgumentException e)
        {
            throw new WeightsException(path, "preprocessing that can be done", e.Message.TrimEnd('.'), e);
        }
        if (Width is < 1 or > MostWidth || TextTokens is < 2 or > MostTokens)
        {
            throw new WeightsException(path, $"width 1 to {MostWidth} and text_tokens 2 to {MostTokens}", $"{Width} and {TextTokens}");
        }
    }
}
