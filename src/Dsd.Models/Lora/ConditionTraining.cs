namespace Dsd.Models.Lora;

/// <summary>How an adapter trains the layer that embeds the condition, <c>c_embedder</c>.</summary>
public enum ConditionTraining
{
    /// <summary>
    /// The adapter holds the whole layer, and training learns it, as DSD's release has it. A transformer without one is adapted all the same.
    /// </summary>
    Whole,

    /// <summary>It stays as it is, for a model whose layer has been trained: one that is new gives nothing of the condition.</summary>
    Frozen,

    /// <summary>Two factors, as for other layers. A transformer without the layer is refused.</summary>
    Lora,
}
