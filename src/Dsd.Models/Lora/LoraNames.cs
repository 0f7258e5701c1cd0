namespace Dsd.Models.Lora;

/// <summary>Whose names an adapter's file has for layers. All of them are read; docs/decisions/adapters.md.</summary>
public enum LoraNames
{
    /// <summary>diffusers' and PEFT's, with <c>transformer.</c> in front, and alpha in the metadata.</summary>
    Diffusers,

    /// <summary>
    /// Those of Black Forest Labs with <c>diffusion_model.</c> in front, as ComfyUI loads them, and alpha as a tensor beside the factors. Where one layer
    /// there is several here, such as <c>qkv</c>, it gets factors that add the same: their ranks add up.
    /// </summary>
    ComfyUI,
}
