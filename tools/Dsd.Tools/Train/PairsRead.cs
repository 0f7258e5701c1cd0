namespace Dsd.Tools.Train;

/// <summary>How many pairs have been read.</summary>
internal sealed record PairsRead(long Count);
