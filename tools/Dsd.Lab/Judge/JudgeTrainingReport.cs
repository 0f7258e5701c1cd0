using Dsd.Tiny.Judge;

namespace Dsd.Lab.Judge;

/// <summary>How good a trained judge is on subjects that it never saw, augmented as in training.</summary>
/// <param name="Accuracy">Share of right values by attribute, 0…1.</param>
/// <param name="PairAccuracy">Share of pairs that were judged right, half of them of one subject, half with one to three attributes changed.</param>
/// <param name="Precision">Of the pairs that were called the same, the share that is.</param>
/// <param name="Recall">Of the pairs that are the same, the share that was called so.</param>
/// <param name="Config">The config with fitted temperature and threshold, as saved.</param>
/// <param name="Complete">Whether all steps were taken.</param>
internal sealed record JudgeTrainingReport(
    IReadOnlyDictionary<string, double> Accuracy, double PairAccuracy, double Precision, double Recall, JudgeConfig Config, bool Complete);
