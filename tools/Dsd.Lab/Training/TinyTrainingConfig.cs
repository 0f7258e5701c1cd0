using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Files;

namespace Dsd.Lab.Training;

/// <summary>Everything that decides what the embedded model becomes: sizes, steps, rates and the seed. Read from <c>training.json</c>.</summary>
internal sealed record TinyTrainingConfig
{
    private const long MostBytes = 1_000_000;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Where all random numbers start.</summary>
    public required long Seed { get; init; }

    /// <summary>Side of a panel in pixels.</summary>
    public required int PanelSize { get; init; }

    /// <summary>The autoencoder.</summary>
    public required VaeStageConfig Vae { get; init; }

    /// <summary>Both text encoders, which learn to read first and then go on with the teacher.</summary>
    public required TextConfig Text { get; init; }

    /// <summary>The teacher without guidance.</summary>
    public required TeacherStageConfig Teacher { get; init; }

    /// <summary>The distillation of guidance into the teacher.</summary>
    public required GuidanceStageConfig Guidance { get; init; }

    /// <summary>The judge.</summary>
    public required StageConfig Judge { get; init; }

    /// <summary>The attribute classifier, which measures and takes no part in the method.</summary>
    public required StageConfig Classifier { get; init; }

    /// <summary>The student: grids, curation, LoRA.</summary>
    public required StudentStageConfig Student { get; init; }

    /// <summary>The side of a token of the transformer in pixels: each level of the autoencoder but one halves the picture, and so does packing.</summary>
    [JsonIgnore]
    public int TokenSide => 1 << Vae.BlockOutChannels.Count;

    /// <summary>The config that the embedded model was trained with.</summary>
    public static string DefaultFile => Path.Combine(AppContext.BaseDirectory, "training.json");

    /// <summary>Reads a config file; unknown and missing fields are refused.</summary>
    /// <exception cref="JsonException">The file is no such config; the message names file and field.</exception>
    public static TinyTrainingConfig Load(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<TinyTrainingConfig>(
                SmallFile.Utf8(file, MostBytes, (expected, found) => new JsonException($"expected {expected}, found {found}")).Span, Json)
                ?? throw new JsonException("the file holds null");
        }
        catch (JsonException e)
        {
            throw new JsonException($"Training config '{file}': {JsonFault.Of(e)}");
        }
    }
}
