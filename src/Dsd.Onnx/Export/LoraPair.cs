namespace Dsd.Onnx.Export;

/// <summary>What a LoRA adds to one weight: <c>W + scale · B·A</c>.</summary>
/// <param name="A">[rank, in], row after row.</param>
/// <param name="B">[out, rank], row after row.</param>
/// <param name="Rank">The rank.</param>
/// <param name="Scale">alpha / rank, times the strength asked for.</param>
internal sealed record LoraPair(float[] A, float[] B, int Rank, float Scale)
{
    /// <summary>Adds <c>scale · (B·A)ᵀ</c> for the inputs from <paramref name="firstInput"/> on.</summary>
    /// <param name="rows">[inputs, out]: rows of the transposed weight.</param>
    /// <param name="firstInput">The input that the first row stands for.</param>
    public void AddTransposed(float[] rows, int firstInput)
    {
        int inputs = A.Length / Rank;
        int outputs = B.Length / Rank;
        float[] transposed = TransposedB.Value;
        Parallel.For(0, rows.Length / outputs, row =>
        {
            Span<float> target = rows.AsSpan(row * outputs, outputs);
            for (int r = 0; r < Rank; r++)
            {
                float factor = Scale * A[r * inputs + firstInput + row];
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(transposed.AsSpan(r * outputs, outputs), factor, target, target);
            }
        });
    }

    private Lazy<float[]> TransposedB { get; } = new(() => Transpose(B, B.Length / Rank, Rank));

    private static float[] Transpose(float[] matrix, int rows, int columns)
    {
        float[] transposed = new float[matrix.Length];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                transposed[j * rows + i] = matrix[i * columns + j];
            }
        }
        return transposed;
    }
}
