using Dsd.Imaging;

namespace Dsd.Models.Training;

/// <summary>One example of the distilled task: a reference, what became of it, and the prompt that says so.</summary>
/// <param name="Reference">The subject, left frame of the canvas and the condition.</param>
/// <param name="Target">The same subject elsewhere, right frame of the canvas.</param>
/// <param name="Prompt">What the target shows.</param>
public sealed record TrainingPair(Picture Reference, Picture Target, string Prompt);
