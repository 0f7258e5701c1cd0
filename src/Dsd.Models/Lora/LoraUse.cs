using System.Text.Json.Serialization;
using Dsd.Common.Options;

namespace Dsd.Models.Lora;

/// <summary>An adapter, as a file or in memory, and how strongly it is laid over a model or merged into one.</summary>
public sealed record LoraUse
{
    /// <summary>An adapter's file, which is read when the model is loaded.</summary>
    /// <param name="file">A safetensors file in the layout of diffusers, PEFT, Black Forest Labs or kohya.</param>
    /// <param name="scale">Strength: see <see cref="Scale"/>.</param>
    [JsonConstructor]
    public LoraUse(string file, float scale = 1)
    {
        ArgumentNullException.ThrowIfNull(file);
        (File, Scale) = (file, scale);
    }

    /// <summary>An adapter in memory.</summary>
    /// <param name="adapter">The adapter. It stays the caller's, who may dispose it once the model is loaded or exported.</param>
    /// <param name="scale">Strength: see <see cref="Scale"/>.</param>
    public LoraUse(LoraAdapter adapter, float scale = 1)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        (Adapter, Scale) = (adapter, scale);
    }

    /// <summary>The file. Null where the adapter is in memory.</summary>
    public string? File { get; }

    /// <summary>The adapter in memory. Null where it is a file.</summary>
    [JsonIgnore]
    public LoraAdapter? Adapter { get; }

    /// <summary>The file, or where the adapter in memory came from; for messages.</summary>
    [JsonIgnore]
    public string Source => File ?? Adapter!.Source;

    /// <summary>Strength, times alpha / rank: 1, the default, is as trained, 0 is nothing, below 0 takes away. −100 to 100.</summary>
    public float Scale { get; init => field = OptionCheck.Range(value, -100f, 100f, nameof(Scale)); }

    /// <summary>
    /// What becomes of a file's part for text encoders. Default: a file that has one is refused. For an adapter in memory it was chosen when it was
    /// loaded, and what it holds for CLIP is applied.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The enumeration has no such value.</exception>
    /// <exception cref="ArgumentException">The adapter is in memory.</exception>
    public LoraTextEncoders TextEncoders
    {
        get;
        init => field = Adapter is null || value == LoraTextEncoders.Refuse
            ? OptionCheck.Defined(value, nameof(TextEncoders))
            : throw new ArgumentException(
                $"Option {nameof(TextEncoders)} is for files, but this adapter ('{Source}') is in memory: choose when it is loaded, and leave the option out.");
    }
}
