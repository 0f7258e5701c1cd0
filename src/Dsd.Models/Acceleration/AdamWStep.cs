namespace Dsd.Models.Acceleration;

/// <summary>The numbers of one step of AdamW.</summary>
/// <param name="Beta1">Decay of the mean.</param>
/// <param name="Beta2">Decay of the mean of squares.</param>
/// <param name="Decay">What weights are multiplied by.</param>
/// <param name="Size">What the mean over the root is multiplied by: the learning rate, corrected for the mean's start at zero.</param>
/// <param name="Root">What the root of the square is divided by: its correction.</param>
/// <param name="Epsilon">Added to the root.</param>
internal readonly record struct AdamWStep(double Beta1, double Beta2, double Decay, double Size, double Root, double Epsilon)
{
    /// <summary>The numbers of a step.</summary>
    /// <param name="learningRate">Learning rate.</param>
    /// <param name="weightDecay">Share of a weight that a step at learning rate 1 takes away.</param>
    /// <param name="beta1">Decay of the mean.</param>
    /// <param name="beta2">Decay of the mean of squares.</param>
    /// <param name="epsilon">Added to the root.</param>
    /// <param name="steps">Steps taken, this one included.</param>
    public static AdamWStep Of(double learningRate, double weightDecay, double beta1, double beta2, double epsilon, long steps) => new(
        beta1, beta2, 1 - learningRate * weightDecay, learningRate / (1 - Math.Pow(beta1, steps)), Math.Sqrt(1 - Math.Pow(beta2, steps)), epsilon);
}
