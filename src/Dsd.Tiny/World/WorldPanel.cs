namespace Dsd.Tiny.World;

/// <summary>One panel of a grid: who is seen in it, and how.</summary>
/// <param name="Subject">Who is seen.</param>
/// <param name="Context">Where, in which pose and light.</param>
public sealed record WorldPanel(Subject Subject, Context Context);
