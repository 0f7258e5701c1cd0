using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsd.Tiny.Training;

/// <summary>Everything that decides what the embedded model becomes: sizes, steps, rates and the seed. Read from <c>training.json</c>.</summary>
public sealed record TinyTrainingConfig
{
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

    /// <summary>Both text encoders, which are trained with the teacher.</summary>
    public required TextConfig Text { get; init; }

    /// <summary>The teacher without guidance.</summary>
    public required TeacherStageConfig Teacher { get; init; }

    /// <summary>The distillation of guidance into the teacher.</summary>
    public required GuidanceStageConfig Guidance { get; init; }

    /// <summary>The judge.</summary>
    public required StageConfig Judge { get; init; }

    /// <summary>The student: grids, curation, LoRA.</summary>
    public required StudentStageConfig Student { get; init; }

    /// <summary>The config that the embedded model was trained with.</summary>
    public static string DefaultFile => Path.Combine(AppContext.BaseDirectory, "dsd-tiny-training.json");

    /// <summary>Reads a config file; unknown and missing fields are refused.</summary>
    /// <exception cref="JsonException">The file is no such config; the message names file and field.</exception>
    public static TinyTrainingConfig Load(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<TinyTrainingConfig>(File.ReadAllText(file), Json)
                ?? throw new JsonException("the file holds null");
        }
        catch (JsonException e)
        {
            throw new JsonException($"Training config '{file}': {e.Message}", e);
        }
    }
}

/// <summary>What every stage that trains has.</summary>
public record StageConfig
{
    /// <summary>Optimiser steps.</summary>
    public required long Steps { get; init; }

    /// <summary>Examples a step.</summary>
    public required int Batch { get; init; }

    /// <summary>The largest learning rate.</summary>
    public required double PeakLearningRate { get; init; }
}

/// <summary>The autoencoder's stage.</summary>
public sealed record VaeStageConfig : StageConfig
{
    /// <summary>Channels of each level.</summary>
    public required IReadOnlyList<int> BlockOutChannels { get; init; }

    /// <summary>Groups of every group normalisation.</summary>
    public required int NormNumGroups { get; init; }

    /// <summary>Channels of the latent.</summary>
    public required int LatentChannels { get; init; }

    /// <summary>Weight of the divergence from a standard normal, per latent number.</summary>
    public required double KlWeight { get; init; }
}

/// <summary>Sizes of the text encoders.</summary>
public sealed record TextConfig
{
    /// <summary>Channels of the T5 encoder, which are the transformer's text channels.</summary>
    public required int T5Width { get; init; }

    /// <summary>Layers of the T5 encoder.</summary>
    public required int T5Layers { get; init; }

    /// <summary>Attention heads of the T5 encoder.</summary>
    public required int T5Heads { get; init; }

    /// <summary>Inner channels of the T5 encoder's feed-forward layers.</summary>
    public required int T5FeedForward { get; init; }

    /// <summary>Tokens that a prompt is padded or cut to.</summary>
    public required int T5Tokens { get; init; }

    /// <summary>Channels of the CLIP text model, which are the transformer's pooled channels.</summary>
    public required int ClipWidth { get; init; }

    /// <summary>Layers of the CLIP text model.</summary>
    public required int ClipLayers { get; init; }

    /// <summary>Attention heads of the CLIP text model.</summary>
    public required int ClipHeads { get; init; }

    /// <summary>Inner channels of the CLIP text model's feed-forward layers.</summary>
    public required int ClipFeedForward { get; init; }
}

/// <summary>The teacher's stage.</summary>
public sealed record TeacherStageConfig : StageConfig
{
    /// <summary>Double-stream blocks.</summary>
    public required int DoubleLayers { get; init; }

    /// <summary>Single-stream blocks.</summary>
    public required int SingleLayers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Channels a head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Channels of a head for each of the three position axes.</summary>
    public required IReadOnlyList<int> RopeAxes { get; init; }

    /// <summary>Pictures of each shape that are kept as latents at a time.</summary>
    public required int Pool { get; init; }

    /// <summary>Steps after which the pictures are drawn anew.</summary>
    public required int PoolSteps { get; init; }

    /// <summary>Share of examples that are trained with an empty prompt, so that guidance has something to push away from.</summary>
    public required double CaptionDropout { get; init; }
}

/// <summary>The stage that distils guidance.</summary>
public sealed record GuidanceStageConfig : StageConfig
{
    /// <summary>Smallest guidance that is distilled.</summary>
    public required float Least { get; init; }

    /// <summary>Largest guidance that is distilled.</summary>
    public required float Most { get; init; }
}

/// <summary>The student's stage.</summary>
public sealed record StudentStageConfig : StageConfig
{
    /// <summary>Grids of each layout that the teacher draws.</summary>
    public required int Grids { get; init; }

    /// <summary>Rank of the LoRA.</summary>
    public required int Rank { get; init; }

    /// <summary>Guidance that the grids are drawn with.</summary>
    public required float Guidance { get; init; }

    /// <summary>Steps that the grids are drawn with.</summary>
    public required int SamplingSteps { get; init; }

    /// <summary>The judge's confidence from which a pair is kept.</summary>
    public required float Confidence { get; init; }
}
