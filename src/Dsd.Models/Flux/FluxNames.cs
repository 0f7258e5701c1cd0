using System.Globalization;
using System.Text.RegularExpressions;
using Dsd.Models.Lora;

namespace Dsd.Models.Flux;

/// <summary>
/// The names of FLUX's modules in the single files of Black Forest Labs, and with underscores for dots in adapters of kohya's scripts, in terms
/// of diffusers' names, which are this library's. Where one published layer holds several of diffusers', its outputs are theirs, one after
/// another.
/// </summary>
internal static partial class FluxNames
{
    private static readonly LayerParts[] DoubleBlock =
    [
        new("img_mod.lin", ["norm1.linear"]),
        new("txt_mod.lin", ["norm1_context.linear"]),
        new("img_attn.qkv", ["attn.to_q", "attn.to_k", "attn.to_v"], [1, 1, 1]),
        new("txt_attn.qkv", ["attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"], [1, 1, 1]),
        new("img_attn.proj", ["attn.to_out.0"]),
        new("txt_attn.proj", ["attn.to_add_out"]),
        new("img_attn.norm.query_norm", ["attn.norm_q"]),
        new("img_attn.norm.key_norm", ["attn.norm_k"]),
        new("txt_attn.norm.query_norm", ["attn.norm_added_q"]),
        new("txt_attn.norm.key_norm", ["attn.norm_added_k"]),
        new("img_mlp.0", ["ff.net.0.proj"]),
        new("img_mlp.2", ["ff.net.2"]),
        new("txt_mlp.0", ["ff_context.net.0.proj"]),
        new("txt_mlp.2", ["ff_context.net.2"]),
    ];

    private static readonly LayerParts[] SingleBlock =
    [
        new("linear1", ["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"], [1, 1, 1, 4]),
        new("linear2", ["proj_out"]),
        new("modulation.lin", ["norm.linear"]),
        new("norm.query_norm", ["attn.norm_q"]),
        new("norm.key_norm", ["attn.norm_k"]),
    ];

    private static readonly LayerParts[] Ends =
    [
        new("img_in", ["x_embedder"]),
        new("txt_in", ["context_embedder"]),
        new("time_in.in_layer", ["time_text_embed.timestep_embedder.linear_1"]),
        new("time_in.out_layer", ["time_text_embed.timestep_embedder.linear_2"]),
        new("guidance_in.in_layer", ["time_text_embed.guidance_embedder.linear_1"]),
        new("guidance_in.out_layer", ["time_text_embed.guidance_embedder.linear_2"]),
        new("vector_in.in_layer", ["time_text_embed.text_embedder.linear_1"]),
        new("vector_in.out_layer", ["time_text_embed.text_embedder.linear_2"]),
        new("final_layer.linear", ["proj_out"]),
        // Shift and scale there, scale and shift in diffusers.
        new("final_layer.adaLN_modulation.1", ["norm_out.linear"]) { HalvesSwapped = true },
    ];

    /// <summary>The module of this name in a single file of Black Forest Labs, in diffusers' terms; null for any other name.</summary>
    public static LayerParts? OfPublished(string module) => Find(module, '.');

    /// <summary>The module of a single file of Black Forest Labs that holds the layer of this name of diffusers; null where none does.</summary>
    public static LayerParts? PublishedOf(string module)
    {
        Match block = DiffusersBlock().Match(module);
        LayerParts[] table = !block.Success ? Ends : block.Groups[1].ValueSpan is "" ? DoubleBlock : SingleBlock;
        string wanted = block.Success ? block.Groups[3].Value : module;
        LayerParts? found = table.FirstOrDefault(p => p.Modules.Contains(wanted));
        return found is null || !block.Success
            ? found
            : Find($"{(block.Groups[1].ValueSpan is "" ? "double" : "single")}_blocks.{block.Groups[2].Value}.{found.Published}", '.');
    }

    /// <summary>
    /// The module of this name with underscores for dots, in diffusers' terms, whether it was Black Forest Labs' name or diffusers'; null for any
    /// other name.
    /// </summary>
    public static LayerParts? OfUnderscored(string module) => Find(module, '_') ?? Underscored(module);

    private static LayerParts? Find(string module, char dot)
    {
        Match block = dot == '.' ? Block().Match(module) : UnderscoredBlock().Match(module);
        if (!block.Success)
        {
            return Ends.FirstOrDefault(p => p.Published.Replace('.', dot) == module);
        }
        bool isDouble = block.Groups[1].ValueSpan is "double";
        LayerParts? found = (isDouble ? DoubleBlock : SingleBlock).FirstOrDefault(p => p.Published.Replace('.', dot) == block.Groups[3].Value);
        string own = string.Create(
            CultureInfo.InvariantCulture,
            $"{(isDouble ? "transformer_blocks" : "single_transformer_blocks")}.{int.Parse(block.Groups[2].ValueSpan, CultureInfo.InvariantCulture)}.");
        return found is null ? null : found with { Published = module, Modules = [.. found.Modules.Select(m => own + m)] };
    }

    private static LayerParts? Underscored(string module)
    {
        Match block = UnderscoredDiffusersBlock().Match(module);
        LayerParts[] table = !block.Success ? Ends : block.Groups[1].ValueSpan is "" ? DoubleBlock : SingleBlock;
        string wanted = block.Success ? block.Groups[3].Value : module;
        string? name = table.SelectMany(p => p.Modules).FirstOrDefault(m => m.Replace('.', '_') == wanted);
        return name is null
            ? null
            : new LayerParts(module, [block.Success ? $"{block.Groups[1].Value}transformer_blocks.{block.Groups[2].Value}.{name}" : name]);
    }

    [GeneratedRegex(@"^(double|single)_blocks\.(\d{1,4})\.(.+)$")]
    private static partial Regex Block();

    [GeneratedRegex(@"^(double|single)_blocks_(\d{1,4})_(.+)$")]
    private static partial Regex UnderscoredBlock();

    [GeneratedRegex(@"^(single_|)transformer_blocks\.(\d{1,4})\.(.+)$")]
    private static partial Regex DiffusersBlock();

    [GeneratedRegex(@"^(single_|)transformer_blocks_(\d{1,4})_(.+)$")]
    private static partial Regex UnderscoredDiffusersBlock();
}
