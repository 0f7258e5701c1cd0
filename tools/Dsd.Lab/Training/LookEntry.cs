using Dsd.Lab.Measure;

namespace Dsd.Lab.Training;

/// <summary>How far a teacher looked across at a step of its training.</summary>
/// <param name="Step">Steps taken.</param>
/// <param name="Averaged">Whether it was looked at with the average of the weights, which the training ends with.</param>
/// <param name="Figures">What was found.</param>
internal sealed record LookEntry(long Step, bool Averaged, IReadOnlyList<LookFigures> Figures);
