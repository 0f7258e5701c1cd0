namespace Dsd.Models.Lora;

/// <summary>What an adapter adds to one linear layer, <c>scale · B·A</c>, whose numbers are read when they are asked for.</summary>
/// <param name="Rank">The inner dimension of the two factors.</param>
/// <param name="Inputs">The layer's inputs.</param>
/// <param name="Outputs">The layer's outputs.</param>
/// <param name="Scale">What the product is multiplied by: alpha over rank.</param>
/// <param name="Read">Reads A [rank, inputs] and B [outputs, rank], rows first. Any thread may call it.</param>
public sealed record LoraLayerTables(int Rank, long Inputs, long Outputs, float Scale, Func<(float[] A, float[] B)> Read);
