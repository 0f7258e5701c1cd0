using System.Globalization;
using Dsd.Models.Weights;

namespace Dsd.Models.Flux;

/// <summary>
/// A transformer's weights by the names of Black Forest Labs' single files (<c>flux1-dev.safetensors</c>), alone or within a larger checkpoint.
/// </summary>
internal sealed class FluxSingleFile
{
    private const string Marker = "double_blocks.0.img_attn.qkv.weight";

    // A number beyond it is no block's, and its tensors are listed as unexpected.
    private const int MostBlocks = 1000;
    private static readonly string[] Prefixes = ["", "model.diffusion_model.", "diffusion_model."];
    private readonly WeightSource _weights;
    private readonly string _prefix;

    private FluxSingleFile(WeightSource weights, string prefix) => (_weights, _prefix) = (weights, prefix);

    /// <summary>The weights if they go by these names; otherwise null.</summary>
    public static FluxSingleFile? Of(WeightSource weights) =>
        Prefixes.FirstOrDefault(p => weights.Contains(p + Marker)) is { } prefix ? new FluxSingleFile(weights, prefix) : null;

    /// <summary>
    /// The shape that names and shapes tell. What they do not tell is FLUX's: an eighth of a head's channels for the first axis of a position,
    /// the rest shared by the others.
    /// </summary>
    /// <exception cref="WeightsException">A tensor is missing, or has no shape that could be.</exception>
    public FluxConfig Config()
    {
        long width = Side("img_in.weight", 0);
        long head = Side("double_blocks.0.img_attn.norm.query_norm.scale", 0);
        if (head % 32 != 0 || width % head != 0 || width > 1 << 16)
        {
            throw new WeightsException(_weights.Path, "a width of whole heads, and heads of a multiple of 32 channels", $"width {width}, heads of {head}");
        }
        int first = (int)head / 8;
        long inChannels = Side("img_in.weight", 1);
        long outChannels = Side("final_layer.linear.weight", 0);
        return new FluxConfig
        {
            InChannels = checked((int)inChannels),
            OutChannels = outChannels == inChannels ? null : checked((int)outChannels),
            NumLayers = Blocks("double_blocks."),
            NumSingleLayers = Blocks("single_blocks."),
            AttentionHeadDim = (int)head,
            NumAttentionHeads = (int)(width / head),
            JointAttentionDim = checked((int)Side("txt_in.weight", 1)),
            PooledProjectionDim = checked((int)Side("vector_in.in_layer.weight", 1)),
            GuidanceEmbeds = _weights.Contains(_prefix + "guidance_in.in_layer.weight"),
            AxesDimsRope = [first, ((int)head - first) / 2, ((int)head - first) / 2],
        };
    }

    /// <summary>Compares the sizes that decide over memory with a config's, before any memory is taken.</summary>
    public void Expect(FluxConfig config)
    {
        _weights.Expect(_prefix + "img_in.weight", "num_attention_heads · attention_head_dim, in_channels", config.Width, config.InChannels);
        _weights.Expect(_prefix + "txt_in.weight", "num_attention_heads · attention_head_dim, joint_attention_dim", config.Width, config.JointAttentionDim);
        if (config.NumLayers > 0)
        {
            _weights.Expect($"{_prefix}double_blocks.{config.NumLayers - 1}.img_attn.qkv.weight", "last of num_layers", 3 * config.Width, config.Width);
        }
        if (config.NumSingleLayers > 0)
        {
            _weights.Expect($"{_prefix}single_blocks.{config.NumSingleLayers - 1}.linear1.weight", "last of num_single_layers", 7 * config.Width, config.Width);
        }
    }

    /// <summary>Whether a tensor belongs to something else in the same file, such as an autoencoder.</summary>
    public bool IsForeign(string name) => !name.StartsWith(_prefix, StringComparison.Ordinal);

    /// <summary>Where a tensor's rows belong in a <see cref="FluxTransformer"/>.</summary>
    public IReadOnlyList<WeightPiece> Pieces(string name, TensorEntry entry)
    {
        string own = name[_prefix.Length..];
        int dot = own.LastIndexOf('.');
        (string module, string part) = dot < 0 ? (own, "") : (own[..dot], own[(dot + 1)..]);
        long rows = entry.Shape.Length > 0 ? entry.Shape[0] : 1;
        if (FluxNames.OfPublished(module) is not { } parts || parts.Divide(rows) is not { } shares)
        {
            return [new WeightPiece(own, 0, rows, 0)];
        }
        string parameter = part == "scale" ? "weight" : part;
        if (parts.HalvesSwapped)
        {
            return [new($"{parts.Modules[0]}.{parameter}", 0, rows / 2, rows / 2), new($"{parts.Modules[0]}.{parameter}", rows / 2, rows / 2, 0)];
        }
        long first = 0;
        return [.. parts.Modules.Zip(shares, (m, share) => new WeightPiece($"{m}.{parameter}", (first += share) - share, share, 0))];
    }

    private long Side(string name, int dimension)
    {
        TensorEntry entry = _weights.Entry(_prefix + name);
        return entry.Shape.Length > dimension && entry.Shape[dimension] > 0
            ? entry.Shape[dimension]
            : throw new WeightsException(_weights.Path, $"tensor '{_prefix + name}' with more than {dimension} dimensions", $"{entry}");
    }

    private int Blocks(string kind) => _weights.Names
        .Where(n => n.StartsWith(_prefix + kind, StringComparison.Ordinal))
        .Select(n => n[(_prefix.Length + kind.Length)..].Split('.')[0])
        .Select(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out int i) && i < MostBlocks ? i + 1 : 0)
        .DefaultIfEmpty()
        .Max();
}
