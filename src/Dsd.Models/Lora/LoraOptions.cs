using Dsd.Common.Options;

namespace Dsd.Models.Lora;

/// <summary>Which layers a new adapter adapts, and how.</summary>
public sealed record LoraOptions
{
    private const int MostRank = 4096;

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
    /// The layers to adapt, by names in one of three forms. Each must match at least one linear layer of the network, apart from its <c>c_embedder</c>.
    /// <list type="bullet">
    /// <item><description>An ending of whole words between dots: <c>attn.to_q</c> is the one of every block.</description></item>
    /// <item><description>With <c>*</c> for any signs and <c>?</c> for one, the whole name: <c>transformer_blocks.*.to_q</c>.</description></item>
    /// <item><description>Between slashes a regular expression for the whole name: <c>/transformer_blocks\.[0-9]\.attn\..*/</c>.</description></item>
    /// </list>
    /// Null, the default: what the model's family adapts, for FLUX <see cref="AllTargets"/>.
    /// </summary>
    /// <exception cref="ArgumentException">There is none, or one is empty or no such form.</exception>
    public IReadOnlyList<string>? Targets
    {
        get;
        init => field = value is null ? null : LayerPattern.Checked(OptionCheck.Texts(value, 1, nameof(Targets)), nameof(Targets));
    }

    /// <summary>Inner dimension of the factors, 1 to 4096. Default 16.</summary>
    public int Rank { get; init => field = OptionCheck.Range(value, 1, MostRank, nameof(Rank)); } = 16;

    /// <summary>
    /// Ranks of some layers, by the forms of <see cref="Targets"/>: the first that matches a layer counts. Each must count for a layer. Default none.
    /// </summary>
    /// <exception cref="ArgumentException">A pattern has no such form, or a value is not a whole number of 1 to 4096.</exception>
    public IReadOnlyList<LayerNumber> RankPattern
    {
        get;
        init => field = LayerNumber.Checked(value, nameof(RankPattern), 1, MostRank, whole: true);
    } = [];

    /// <summary>What the product of the factors is multiplied by, before it is divided by the rank. Null, the default, is each layer's rank.</summary>
    public float? Alpha { get; init => field = OptionCheck.RangeOrNull(value, 1e-3f, 65536f, nameof(Alpha)); }

    /// <summary>The same for some layers, as <see cref="RankPattern"/>. Default none.</summary>
    /// <exception cref="ArgumentException">A pattern has no such form, or a value does not lie between 0.001 and 65536.</exception>
    public IReadOnlyList<LayerNumber> AlphaPattern
    {
        get;
        init => field = LayerNumber.Checked(value, nameof(AlphaPattern), 1e-3, 65536, whole: false);
    } = [];

    /// <summary>Where the random first factors start. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>What becomes of the <c>c_embedder</c> of a conditional transformer. Default: it is trained whole.</summary>
    public ConditionTraining Condition { get; init => field = OptionCheck.Defined(value, nameof(Condition)); } = ConditionTraining.Whole;

    /// <summary>The defaults with layers by a name: <c>attention</c> is <see cref="AttentionTargets"/>, <c>all</c> is <see cref="AllTargets"/>.</summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static LoraOptions Preset(string name) => name switch
    {
        "attention" => new LoraOptions { Targets = AttentionTargets },
        "all" => new LoraOptions { Targets = AllTargets },
        _ => throw new ArgumentException($"There is no preset '{name}' of adapters: choose attention or all.", nameof(name)),
    };
}
