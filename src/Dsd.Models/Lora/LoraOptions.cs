using Dsd.Common.Options;

namespace Dsd.Models.Lora;

/// <summary>Which layers a new adapter adapts, and how.</summary>
public sealed record LoraOptions
{
    /// <summary>The attention projections of every block, as DSD's released adapter has them.</summary>
    public static IReadOnlyList<string> AttentionTargets { get; } =
    [
        "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0",
        "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj", "attn.to_add_out",
    ];

    /// <summary>The attention projections, feed-forward networks and output projections.</summary>
    public static IReadOnlyList<string> AllTargets { get; } =
    [
        .. AttentionTargets,
        "ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2", "proj_mlp", "proj_out",
    ];

    /// <summary>
    /// Endings of the module names to adapt, whole words between dots: <c>attn.to_q</c> is the one of every block. Each must match at least one linear
    /// layer of the network.
    /// Null, the default: what the model's family adapts, for FLUX <see cref="AllTargets"/>.
    /// </summary>
    public IReadOnlyList<string>? Targets
    {
        get;
        init => field = value is null || (value.Count > 0 && value.All(t => !string.IsNullOrWhiteSpace(t)))
            ? value
            : throw new ArgumentException($"Option {nameof(Targets)} must name at least one layer, and none by an empty name.", nameof(Targets));
    }

    /// <summary>Inner dimension of the factors, 1 to 4096. Default 16.</summary>
    public int Rank { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Rank)); } = 16;

    /// <summary>What the product of the factors is multiplied by, before it is divided by the rank. Null, the default, is the rank.</summary>
    public float? Alpha { get; init => field = OptionCheck.RangeOrNull(value, 1e-3f, 65536f, nameof(Alpha)); }

    /// <summary>Where the random first factors start. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Whether the adapter also holds the whole <c>c_embedder</c> of a conditional transformer, so that training learns it. Default true.</summary>
    public bool IncludeCondition { get; init; } = true;
}
