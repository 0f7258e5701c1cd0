namespace Dsd.Models.Training;

/// <summary>
/// How much the loss of an example counts by its noise level σ: the schemes of Stable Diffusion 3 (Esser et al. 2024), as diffusers has them.
/// </summary>
public enum LossWeighting
{
    /// <summary>All count the same.</summary>
    None,

    /// <summary><c>σ⁻²</c>: little noise counts most, without bound. A level of exactly 0 gives no finite loss, and the step is skipped.</summary>
    SigmaSqrt,

    /// <summary><c>2 / (π · (1 − 2σ + 2σ²))</c>: levels in the middle count most, at most twice as much as the ends.</summary>
    Cosmap,
}
