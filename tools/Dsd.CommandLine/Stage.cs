namespace Dsd.CommandLine;

/// <summary>How far some work has come.</summary>
/// <param name="Text">What is being done, or has been.</param>
/// <param name="Share">How much of it, in 0…1.</param>
public readonly record struct Stage(string Text, double Share);
