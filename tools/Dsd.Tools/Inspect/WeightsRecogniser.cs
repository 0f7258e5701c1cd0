using System.Globalization;
using Dsd.Models.Weights;

namespace Dsd.Tools.Inspect;

/// <summary>Tells from names and shapes which model's weights a set of tensors is.</summary>
/// <param name="tensors">The tensors by name.</param>
internal sealed class WeightsRecogniser(IReadOnlyDictionary<string, TensorEntry> tensors)
{
    private static readonly string[] SingleFilePrefixes = ["", "model.diffusion_model.", "diffusion_model."];

    /// <summary>The kind with its sizes; <c>unknown</c> where nothing fits.</summary>
    public Recognised Recognise() => this switch
    {
        _ when Has("x_embedder.weight") && Has("context_embedder.weight") => FluxTransformer(),
        _ when SingleFilePrefixes.FirstOrDefault(p => Has($"{p}double_blocks.0.img_attn.qkv.weight")) is { } prefix => FluxSingleFile(prefix),
        _ when Has("encoder.conv_in.weight") && Has("encoder.down.0.block.0.conv1.weight") => new Recognised(
            "autoencoder-single-file", "variational autoencoder by the names of Black Forest Labs' single file", new Dictionary<string, object>()),
        _ when Has("encoder.conv_in.weight") && Has("decoder.conv_in.weight") => Autoencoder(),
        _ when Has("embeddings.token_embedding.weight") => ClipText(""),
        _ when Has("text_model.embeddings.token_embedding.weight") => ClipText("text_model."),
        _ when Has("encoder.block.0.layer.0.SelfAttention.q.weight") => T5Encoder(),
        _ => new Recognised("unknown", "weights of no model known here", new Dictionary<string, object>()),
    };

    private Recognised FluxTransformer()
    {
        bool conditional = Has("c_embedder.weight");
        Dictionary<string, object> facts = new()
        {
            ["num_layers"] = Blocks("transformer_blocks."),
            ["num_single_layers"] = Blocks("single_transformer_blocks."),
            ["guidance_embeds"] = Has("time_text_embed.guidance_embedder.linear_1.weight"),
        };
        Add(facts, "in_channels", "x_embedder.weight", 1);
        Add(facts, "width", "x_embedder.weight", 0);
        Add(facts, "attention_head_dim", "transformer_blocks.0.attn.norm_q.weight", 0);
        Add(facts, "joint_attention_dim", "context_embedder.weight", 1);
        Add(facts, "pooled_projection_dim", "time_text_embed.text_embedder.linear_1.weight", 1);
        return conditional
            ? new Recognised("dsd-transformer", "FLUX transformer with a reference's embedder (Diffusion Self-Distillation), diffusers' layout", facts)
            : new Recognised("flux-transformer", "FLUX transformer, diffusers' layout", facts);
    }

    private Recognised FluxSingleFile(string prefix)
    {
        return new Recognised("flux-transformer-single-file", "FLUX transformer by the names of Black Forest Labs' single files", new Dictionary<string, object>
        {
            ["num_layers"] = Blocks($"{prefix}double_blocks."),
            ["num_single_layers"] = Blocks($"{prefix}single_blocks."),
            ["guidance_embeds"] = Has($"{prefix}guidance_in.in_layer.weight"),
        });
    }

    private Recognised Autoencoder()
    {
        Dictionary<string, object> facts = new()
        {
            ["blocks"] = Blocks("encoder.down_blocks."),
            ["use_quant_conv"] = Has("quant_conv.weight"),
            ["use_post_quant_conv"] = Has("post_quant_conv.weight"),
        };
        Add(facts, "in_channels", "encoder.conv_in.weight", 1);
        Add(facts, "out_channels", "decoder.conv_out.weight", 0);
        Add(facts, "latent_channels", "decoder.conv_in.weight", 1);
        return new Recognised("autoencoder", "variational autoencoder, diffusers' layout", facts);
    }

    private Recognised ClipText(string prefix)
    {
        Dictionary<string, object> facts = new() { ["num_hidden_layers"] = Blocks($"{prefix}encoder.layers.") };
        Add(facts, "vocab_size", $"{prefix}embeddings.token_embedding.weight", 0);
        Add(facts, "hidden_size", $"{prefix}embeddings.token_embedding.weight", 1);
        Add(facts, "max_position_embeddings", $"{prefix}embeddings.position_embedding.weight", 0);
        Add(facts, "intermediate_size", $"{prefix}encoder.layers.0.mlp.fc1.weight", 0);
        return new Recognised("clip-text", "CLIP text model", facts);
    }

    private Recognised T5Encoder()
    {
        string embedding = Has("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight";
        Dictionary<string, object> facts = new() { ["num_layers"] = Blocks("encoder.block.") };
        Add(facts, "vocab_size", embedding, 0);
        Add(facts, "d_model", embedding, 1);
        Add(facts, "num_heads", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", 1);
        Add(facts, "d_ff", "encoder.block.0.layer.1.DenseReluDense.wo.weight", 1);
        return Has("decoder.block.0.layer.0.SelfAttention.q.weight")
            ? new Recognised("t5", "T5 encoder and decoder; only the encoder is used here", facts)
            : new Recognised("t5-encoder", "T5 encoder", facts);
    }

    private bool Has(string name) => tensors.ContainsKey(name);

    private void Add(Dictionary<string, object> facts, string fact, string name, int dimension)
    {
        if (tensors.TryGetValue(name, out TensorEntry? tensor) && tensor.Shape.Length > dimension)
        {
            facts[fact] = tensor.Shape[dimension];
        }
    }

    /// <summary>How many different numbers follow the prefix.</summary>
    private long Blocks(string prefix) =>
        tensors.Keys
            .Where(n => n.StartsWith(prefix, StringComparison.Ordinal))
            .Select(n => n[prefix.Length..].Split('.')[0])
            .Where(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Distinct(StringComparer.Ordinal)
            .LongCount();
}
