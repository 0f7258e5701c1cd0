namespace Dsd.Models.Training;

/// <summary>Which of the canvas' two frames a student's loss counts.</summary>
public enum FrameLoss
{
    /// <summary>
    /// Both: the model also learns to give the reference back in the left frame, and so to read it (Diffusion Self-Distillation,
    /// section 3.3, the parallel architecture).
    /// </summary>
    Both,

    /// <summary>The right frame alone, the edit: an ablation.</summary>
    EditOnly,
}
