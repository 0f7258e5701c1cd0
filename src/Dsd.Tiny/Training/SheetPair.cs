using Dsd.Imaging;
using Dsd.Models.Training;

namespace Dsd.Tiny.Training;

/// <summary>The two panels of a sheet, with the prompts that ask for each as a change of the other.</summary>
internal sealed record SheetPair(Picture A, Picture B, string PromptA, string PromptB)
{
    /// <summary>The pair in both directions: either panel may be the reference.</summary>
    public IEnumerable<TrainingPair> Both => [new TrainingPair(A, B, PromptB), new TrainingPair(B, A, PromptA)];
}
