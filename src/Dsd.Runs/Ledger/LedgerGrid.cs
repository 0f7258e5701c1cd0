namespace Dsd.Runs.Ledger;

/// <summary>A grid that was drawn.</summary>
/// <param name="PromptId">The prompt.</param>
/// <param name="File">Where it lies, relative to the run's folder.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Sha256">Of the file's bytes.</param>
/// <param name="Teacher">What drew it.</param>
public sealed record LedgerGrid(string PromptId, string File, int Width, int Height, string Sha256, string Teacher);
