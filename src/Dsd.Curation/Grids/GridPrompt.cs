namespace Dsd.Curation.Grids;

/// <summary>What the teacher is asked to draw on one grid.</summary>
/// <param name="Text">The whole prompt of the grid.</param>
/// <param name="Layout">How the panels lie.</param>
/// <param name="Subject">The text that names the subject, the same in every panel.</param>
/// <param name="Captions">What each panel shows, row by row: the prompt of a training pair whose target is that panel.</param>
public sealed record GridPrompt(string Text, GridLayout Layout, string Subject, IReadOnlyList<string> Captions);
