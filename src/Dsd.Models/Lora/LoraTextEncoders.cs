namespace Dsd.Models.Lora;

/// <summary>
/// What becomes of the part of an adapter's file that is for text encoders, as kohya's <c>lora_te1_</c> and diffusers' <c>text_encoder.</c> are.
/// </summary>
public enum LoraTextEncoders
{
    /// <summary>A file with such a part is refused, and the message says what there is to choose.</summary>
    Refuse,

    /// <summary>The transformer's part alone is taken. What is left out is said.</summary>
    LeaveOut,

    /// <summary>CLIP's part is taken too, and laid over CLIP's text encoder at the same strength. What is for T5 is left out, and that is said.</summary>
    Apply,
}
