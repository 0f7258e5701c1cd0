namespace Dsd.Models.Lora;

/// <summary>A tensor that an adapter holds whole.</summary>
/// <param name="Shape">Its shape.</param>
/// <param name="Read">Reads its numbers, rows first. Any thread may call it.</param>
public sealed record LoraWholeTable(IReadOnlyList<long> Shape, Func<float[]> Read);
