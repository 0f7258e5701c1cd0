namespace Dsd.Models.Sampling;

/// <summary>How the two frames of a canvas, reference and result, lie.</summary>
public enum FrameOrder
{
    /// <summary>The reference on the left, the result on the right: as Diffusion Self-Distillation has it.</summary>
    Beside,

    /// <summary>The reference above, the result below.</summary>
    Below,
}
