using Dsd.Models.Autoencoder;
using Dsd.Models.Sampling;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>What an export writes of a model, after its configs were read and checked.</summary>
public sealed record ExportPlan
{
    /// <summary>Whether the network takes a condition, that is, whether the model is a student.</summary>
    public required bool Conditional { get; init; }

    /// <summary>Whether the network takes the distilled guidance.</summary>
    public required bool Guidance { get; init; }

    /// <summary>
    /// The network, whose model <c>transformer</c> predicts velocities. Its inputs: <c>hidden_states</c> [batch, image tokens, channels],
    /// <c>condition_hidden_states</c> if it is conditional, and what the family's <c>PromptInputs</c> gives. Output: the velocity.
    /// </summary>
    public required ExportedNetwork Network { get; init; }

    /// <summary>The text encoders.</summary>
    public required IReadOnlyList<ExportedNetwork> TextEncoders { get; init; }

    /// <summary>Folders of the pipeline that are copied, such as tokenizers and the schedule.</summary>
    public required IReadOnlyList<string> Copied { get; init; }

    /// <summary>The autoencoder, whose weights are the pipeline's <c>vae</c>.</summary>
    public required VaeConfig Vae { get; init; }

    /// <summary>Whether the network's graph has inputs for adapters: <see cref="OnnxExportOptions.AdapterInputs"/>. Default false.</summary>
    public bool TakesAdapters { get; init; }

    /// <summary>
    /// Whether the network takes a condition for the sake of adapters alone: what embeds it is zeros until an adapter brings it. Default false.
    /// </summary>
    internal bool ConditionFromAdapters { get; init; }

    /// <summary>Places of a latent a side that become one token. Default 2.</summary>
    public int Patch { get; init; } = LatentPacking.Patch;

    /// <summary>How reference and result lie on a canvas. Default: beside each other.</summary>
    public FrameOrder Frames { get; init; } = FrameOrder.Beside;
}

/// <summary>A checkpoint that is written as one model or more.</summary>
/// <param name="WeightsFolder">The folder with its weights and its <c>config.json</c>, which is copied to each model.</param>
/// <param name="Models">The models. What none of them takes of the weights is a fault.</param>
public sealed record ExportedNetwork(string WeightsFolder, params IReadOnlyList<ExportedModel> Models)
{
    /// <summary>What the checkpoint may put before the names that the graphs use, such as <c>text_model.</c>. Null, the default, is nothing.</summary>
    public string? Prefix { get; init; }

    /// <summary>Which tensors of the checkpoint the graphs ought to use. Null, the default, is all.</summary>
    public Func<string, bool>? Belongs { get; init; }

    /// <summary>Whether it is CLIP's text encoder, which an adapter's part for CLIP is merged into. Default false.</summary>
    public bool IsClip { get; init; }

    /// <summary>What the copied config names as its class. Null, the default: what it names already.</summary>
    public string? ClassName { get; init; }
}

/// <summary>A model of an export.</summary>
/// <param name="Component">Its folder.</param>
/// <param name="Build">Builds the graph from the weights.</param>
public sealed record ExportedModel(string Component, Func<CheckpointWeights, GraphBuilder> Build);
