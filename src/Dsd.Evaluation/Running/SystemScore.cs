namespace Dsd.Evaluation.Running;

/// <summary>The scores of one system.</summary>
/// <param name="System">The system's name.</param>
/// <param name="All">Over all its pictures.</param>
/// <param name="Categories">Over those of each category, by its name; empty where the folders name none.</param>
public sealed record SystemScore(string System, ScoreSummary All, IReadOnlyDictionary<string, ScoreSummary> Categories);
