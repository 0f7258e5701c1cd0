namespace Dsd.Dataset.Formats;

/// <summary>What was written.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Kept">Rows of pairs that are kept.</param>
/// <param name="Files">Files with rows or pictures in them.</param>
/// <param name="Bytes">Their size.</param>
public sealed record WrittenDataset(long Rows, long Kept, long Files, long Bytes);
