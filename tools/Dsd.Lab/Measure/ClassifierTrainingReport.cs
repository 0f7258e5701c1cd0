namespace Dsd.Lab.Measure;

/// <summary>How good a trained classifier is on subjects that it never saw.</summary>
/// <param name="Accuracy">Share of right values by attribute, 0…1, on clean drawings.</param>
/// <param name="DecodedAccuracy">The same on drawings that went through the autoencoder; empty where none was given.</param>
/// <param name="Complete">Whether all steps were taken.</param>
internal sealed record ClassifierTrainingReport(
    IReadOnlyDictionary<string, double> Accuracy, IReadOnlyDictionary<string, double> DecodedAccuracy, bool Complete)
{
    /// <summary>The mean of <see cref="Accuracy"/> over the attributes.</summary>
    public double MeanAccuracy => Accuracy.Values.Average();
}
