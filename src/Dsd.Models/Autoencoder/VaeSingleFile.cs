using System.Globalization;
using Dsd.Models.Weights;

namespace Dsd.Models.Autoencoder;

/// <summary>An autoencoder's weights by the names of Black Forest Labs' <c>ae.safetensors</c>, alone or within a larger checkpoint.</summary>
/// <remarks>The file tells no scaling and no groups: a config in diffusers' layout goes with it.</remarks>
internal sealed class VaeSingleFile
{
    private const string Marker = "encoder.down.0.block.0.conv1.weight";
    private static readonly string[] Prefixes = ["", "vae.", "first_stage_model."];
    private readonly WeightSource _weights;
    private readonly VaeConfig _config;

    private VaeSingleFile(WeightSource weights, VaeConfig config, string prefix) => (_weights, _config, Prefix) = (weights, config, prefix);

    /// <summary>What stands before each of the names in the file.</summary>
    public string Prefix { get; }

    /// <summary>The weights if they go by these names; otherwise null.</summary>
    public static VaeSingleFile? Of(WeightSource weights, VaeConfig config) =>
        Prefixes.FirstOrDefault(p => weights.Contains(p + Marker)) is { } prefix ? new VaeSingleFile(weights, config, prefix) : null;

    /// <summary>Fills an autoencoder.</summary>
    /// <exception cref="WeightsException">Lists all tensors that are missing, unexpected or misshapen.</exception>
    public void Load(AutoencoderKL vae) =>
        WeightLoader.LoadPieces(
            vae, _weights, name => !name.StartsWith(Prefix, StringComparison.Ordinal), (name, entry) => [Piece(name[Prefix.Length..], entry)]);

    // Attention's products are 1 × 1 convolutions in the file and linear layers in the module.
    private WeightPiece Piece(string name, TensorEntry entry) =>
        new(ModuleName(name), 0, entry.Shape.Length > 0 ? entry.Shape[0] : 1, 0) { UnitSidesDropped = name.Contains(".attn_1.", StringComparison.Ordinal) };

    /// <summary>A name of the file, such as <c>decoder.up.3.block.0.conv1.weight</c>, in diffusers' layout; as it is where it is none of these.</summary>
    private string ModuleName(string name) => name.Split('.') switch
    {
        [var side, "mid", "attn_1", var layer, var part] => $"{side}.mid_block.attentions.0.{Attention(layer)}.{part}",
        [var side, "mid", "block_1", .. var rest] => $"{side}.mid_block.resnets.0.{Residual(rest)}",
        [var side, "mid", "block_2", .. var rest] => $"{side}.mid_block.resnets.1.{Residual(rest)}",
        ["encoder", "down", var level, "block", var block, .. var rest] => $"encoder.down_blocks.{level}.resnets.{block}.{Residual(rest)}",
        ["encoder", "down", var level, "downsample", .. var rest] => $"encoder.down_blocks.{level}.downsamplers.0.{string.Join('.', rest)}",
        ["decoder", "up", var level, "block", var block, .. var rest] => $"decoder.up_blocks.{FromCoarsest(level)}.resnets.{block}.{Residual(rest)}",
        ["decoder", "up", var level, "upsample", .. var rest] => $"decoder.up_blocks.{FromCoarsest(level)}.upsamplers.0.{string.Join('.', rest)}",
        [var side, "norm_out", var part] => $"{side}.conv_norm_out.{part}",
        _ => name,
    };

    // The file counts the decoder's levels from the picture's resolution, the module in the order in which they run.
    private string FromCoarsest(string level) =>
        int.TryParse(level, NumberStyles.None, CultureInfo.InvariantCulture, out int i)
            ? (_config.BlockOutChannels.Count - 1 - i).ToString(CultureInfo.InvariantCulture)
            : level;

    private static string Residual(string[] rest) => string.Join('.', rest).Replace("nin_shortcut.", "conv_shortcut.", StringComparison.Ordinal);

    private static string Attention(string layer) => layer switch
    {
        "norm" => "group_norm",
        "q" or "k" or "v" => $"to_{layer}",
        "proj_out" => "to_out.0",
        _ => layer,
    };
}
