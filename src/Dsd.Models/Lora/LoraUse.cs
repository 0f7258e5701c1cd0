namespace Dsd.Models.Lora;

/// <summary>An adapter's file and how strongly it is laid over a transformer.</summary>
/// <param name="File">A safetensors file in the layout of diffusers, PEFT, Black Forest Labs or kohya.</param>
/// <param name="Scale">Strength, times alpha / rank: 1, the default, is as trained, 0 is nothing, below 0 takes away. −100 to 100.</param>
public sealed record LoraUse(string File, float Scale = 1)
{
    /// <summary>Strength, −100 to 100.</summary>
    public float Scale { get; init => field = Check.Range(value, -100f, 100f, nameof(Scale)); } = Check.Range(Scale, -100f, 100f, nameof(Scale));

    /// <summary>What becomes of a part for text encoders. Default: a file that has one is refused.</summary>
    public LoraTextEncoders TextEncoders
    {
        get;
        init => field = Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(TextEncoders), value, $"Option {nameof(TextEncoders)} must be one of {string.Join(", ", Enum.GetNames<LoraTextEncoders>())}, but is {value}.");
    }
}
