namespace Dsd.Models.Training;

/// <summary>What became of the entries that a training run needed, each counted once: the latents of canvases and conditions, and prompts.</summary>
/// <param name="Found">Entries that were there, so that no encoder was called.</param>
/// <param name="Made">Entries that were not there.</param>
/// <param name="MadeAgain">Entries that were there, but damaged or another's, and were made again.</param>
public sealed record CacheCounts(long Found, long Made, long MadeAgain);
