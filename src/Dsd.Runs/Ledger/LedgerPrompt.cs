using Dsd.Curation.Grids;

namespace Dsd.Runs.Ledger;

/// <summary>A grid that is to be drawn.</summary>
/// <param name="Id">The caption's key and the ordinal: <c>KEY~0</c>.</param>
/// <param name="CaptionKey">The caption it was written for.</param>
/// <param name="Ordinal">Its place among the caption's prompts, from 0.</param>
/// <param name="Prompt">What to draw.</param>
/// <param name="Seed">Where the noise starts; follows from the run's seed and the id.</param>
public sealed record LedgerPrompt(string Id, string CaptionKey, int Ordinal, GridPrompt Prompt, long Seed);
