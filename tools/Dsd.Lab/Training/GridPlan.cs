using Dsd.Tiny.World;

namespace Dsd.Lab.Training;

/// <summary>What a teacher is asked for in one grid of two panels.</summary>
/// <param name="Subject">Whom it is asked to draw.</param>
/// <param name="A">The left panel's context.</param>
/// <param name="B">The right panel's context.</param>
/// <param name="Grid">The prompt for the grid.</param>
/// <param name="PromptA">The left panel as a change of the right one.</param>
/// <param name="PromptB">The right panel as a change of the left one.</param>
/// <param name="Noise">Where the noise starts.</param>
internal sealed record GridPlan(Subject Subject, Context A, Context B, string Grid, string PromptA, string PromptB, long Noise);
