using Dsd.Imaging;
using Dsd.Models.Training;

namespace Dsd.Lab.Training;

/// <summary>The two panels of a grid, and what was asked for.</summary>
internal sealed record GridPair(Picture A, Picture B, GridPlan Plan)
{
    /// <summary>The pair in both directions: either panel may be the reference.</summary>
    public IEnumerable<TrainingPair> Both => [new TrainingPair(A, B, Plan.PromptB), new TrainingPair(B, A, Plan.PromptA)];
}
