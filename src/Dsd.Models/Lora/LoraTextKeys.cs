using System.Text.RegularExpressions;

namespace Dsd.Models.Lora;

/// <summary>Which of an adapter's keys are for text encoders, and what CLIP's layers are called there.</summary>
internal static partial class LoraTextKeys
{
    /// <summary>What diffusers puts before the names of CLIP's layers, in keys and in metadata.</summary>
    public const string ClipPrefix = "text_encoder.";

    /// <summary>What transformers before version 5 put before every name of CLIP's layers, and adapters still do.</summary>
    public const string ClipModel = "text_model.";

    // The longer before its own beginning. kohya calls FLUX's T5 lora_te3, OneTrainer lora_te2; ComfyUI writes text_encoders.
    private static readonly (string Prefix, bool IsClip)[] Prefixes =
    [
        ("lora_te_", true), ("lora_te1_", true), ("lora_te2_", false), ("lora_te3_", false),
        (ClipPrefix, true), ("text_encoder_2.", false), ("text_encoder_3.", false),
        ("text_encoders.clip_l.transformer.", true), ("text_encoders.clip_l.", true), ("text_encoders.", false),
        ("clip_l.transformer.", true), ("clip_l.", true), ("t5xxl.", false), ("t5.", false),
    ];

    // An encoder's own names, as PEFT's adapter of the encoder itself has them.
    private static readonly (string Beginning, bool IsClip)[] OwnNames =
    [
        ("text_model.", true), ("encoder.layers.", true), ("encoder.block.", false),
    ];

    /// <summary>What of a key lies behind a text encoder's prefix, and whether it is CLIP's; null for a key of the transformer.</summary>
    /// <param name="key">The key in the file.</param>
    /// <param name="prefix">What stands before the transformer's names in this file.</param>
    public static (string Name, bool IsClip)? Of(string key, string prefix)
    {
        if (Prefixes.FirstOrDefault(p => key.StartsWith(p.Prefix, StringComparison.Ordinal)) is { Prefix: { } found } encoder)
        {
            return (key[found.Length..], encoder.IsClip);
        }
        string name = key.StartsWith(prefix, StringComparison.Ordinal) ? key[prefix.Length..] : key;
        return OwnNames.FirstOrDefault(o => name.StartsWith(o.Beginning, StringComparison.Ordinal)) is { Beginning: not null } own ? (name, own.IsClip) : null;
    }

    /// <summary>The name of one of CLIP's linear layers as <see cref="Text.ClipTextModel"/> has it; null for any other.</summary>
    /// <param name="module">With dots, or with underscores in their place, and with or without <c>text_model</c> in front.</param>
    public static string? ClipLayer(string module) =>
        ClipName().Match(module) is { Success: true } m
            ? $"encoder.layers.{m.Groups[1].Value}.{(m.Groups[2].Success ? $"self_attn.{m.Groups[2].Value}" : $"mlp.{m.Groups[3].Value}")}"
            : null;

    [GeneratedRegex(@"^(?:text_model[._])?encoder[._]layers[._]([0-9]{1,4})[._](?:self_attn[._]([qkv]_proj|out_proj)|mlp[._](fc[12]))\z")]
    private static partial Regex ClipName();
}
