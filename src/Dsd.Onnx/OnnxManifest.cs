using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Files;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;

namespace Dsd.Onnx;

/// <summary>
/// What an ONNX folder's <c>dsd.json</c> says: which models lie in it, how they are used together, what they were made of, and what every file is.
/// </summary>
internal sealed record OnnxManifest
{
    public const string FileName = "dsd.json";
    public const int Version = 3;
    private const int MostBytes = 4_000_000;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>The version of this layout.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>The family of the model. Exports from before there were others do not name it.</summary>
    public string Family { get; init; } = "flux";

    /// <summary>The precision of the weights.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<ExportPrecision>))]
    public required ExportPrecision Precision { get; init; }

    /// <summary>For which runtimes the graphs are.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<GraphTarget>))]
    public required GraphTarget Graphs { get; init; }

    /// <summary>Whether the transformer takes a condition, that is, whether the models are a student.</summary>
    public required bool Conditional { get; init; }

    /// <summary>Whether the transformer takes the distilled guidance.</summary>
    public required bool Guidance { get; init; }

    /// <summary>Channels of a packed latent token.</summary>
    public required int InChannels { get; init; }

    /// <summary>Places of a latent a side that become one token.</summary>
    public int Patch { get; init; } = LatentPacking.Patch;

    /// <summary>How reference and result lie on a canvas.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<FrameOrder>))]
    public FrameOrder Frames { get; init; } = FrameOrder.Beside;

    /// <summary>Channels of a latent.</summary>
    public required int LatentChannels { get; init; }

    /// <summary>Pixels a side that become one latent place.</summary>
    public required int VaeFactor { get; init; }

    /// <summary>What a shifted latent is multiplied by before diffusion.</summary>
    public required float ScalingFactor { get; init; }

    /// <summary>What is taken from a latent before diffusion.</summary>
    public required float ShiftFactor { get; init; }

    /// <summary>Width of a frame in pixels that the models are meant for.</summary>
    public required int FrameWidth { get; init; }

    /// <summary>Height of a frame in pixels that the models are meant for.</summary>
    public required int FrameHeight { get; init; }

    /// <summary>The adapters that were merged, in their order: the name of each file, and its strength. A second of a name has a number behind it.</summary>
    public required IReadOnlyDictionary<string, float> Adapters { get; init; }

    /// <summary>Whether the transformer has inputs for adapters.</summary>
    public bool TakesAdapters { get; init; }

    /// <summary>Whether what embeds the condition is zeros until an adapter brings it.</summary>
    public bool ConditionFromAdapters { get; init; }

    /// <summary>The version of the tool that wrote the folder.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>What the models were made of.</summary>
    public required OnnxSource Source { get; init; }

    /// <summary>Every file of the folder but this one, by its path with forward slashes, and its length in bytes.</summary>
    public required IReadOnlyDictionary<string, long> Files { get; init; }

    /// <summary>The SHA-256 of each of the <see cref="Files"/>, in hexadecimal digits.</summary>
    public required IReadOnlyDictionary<string, string> Sha256 { get; init; }

    /// <summary>Whether the transformer takes one row at a time.</summary>
    [JsonIgnore]
    public bool RunsOneRow => Graphs == GraphTarget.Cuda;

    public void Write(string folder) =>
        AtomicFile.Write(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, Options));

    /// <summary>Reads and checks an ONNX folder's manifest, and that every file is there in full length.</summary>
    public static OnnxManifest Read(string folder)
    {
        FolderDescription description = new(
            folder, FileName, "an ONNX folder", "Dsd.MLNet's export ('dsd export')", "the model",
            (path, expected, found) => new WeightsException(path, expected, found));
        OnnxManifest manifest = description.Read<OnnxManifest>(Version, MostBytes, Options);
        manifest.Check(description.Path);
        description.CheckFiles(manifest.Files, manifest.Sha256);
        return manifest;
    }

    private void Check(string path)
    {
        if (VaeFactor is < 1 or > 256 || LatentChannels is < 1 or > 1024 || Patch is < 1 or > 16 || InChannels != Patch * Patch * LatentChannels)
        {
            throw new WeightsException(
                path, "vae_factor 1 to 256, latent_channels 1 to 1024, patch 1 to 16 and in_channels latent_channels times its square",
                $"{VaeFactor}, {LatentChannels}, {Patch} and {InChannels}");
        }
        if (FrameWidth is < 16 or > 8192 || FrameHeight is < 16 or > 8192)
        {
            throw new WeightsException(path, "frame_width and frame_height from 16 to 8192", $"{FrameWidth} and {FrameHeight}");
        }
        if (!float.IsFinite(ScalingFactor) || ScalingFactor == 0 || !float.IsFinite(ShiftFactor))
        {
            throw new WeightsException(path, "a finite scaling_factor that is not 0, and a finite shift_factor", $"{ScalingFactor} and {ShiftFactor}");
        }
    }

    /// <summary>Reads every file and compares it with its hash.</summary>
    public void CheckHashes(string folder, CancellationToken cancellationToken, IProgress<string>? progress)
    {
        foreach ((string name, string hash) in Sha256)
        {
            progress?.Report(name);
            string file = Path.Combine(folder, name);
            FileHash found = FileHash.Of(file, cancellationToken);
            if (found != new FileHash(Files[name], hash))
            {
                throw new WeightsException(
                    file, $"{Files[name]} bytes of SHA-256 {hash}, as '{FileName}' says",
                    $"{found.Length} of {found.Sha256}: the file was damaged or changed. Export the model again");
            }
        }
    }
}
