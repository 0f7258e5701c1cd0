using System.Collections.Concurrent;
using System.Numerics.Tensors;
using Dsd.Models.Lora;

namespace Dsd.Onnx.Export;

/// <summary>What adapters add to one linear layer's weight [outputs, inputs], in memory while a constant of the layer is written.</summary>
internal sealed class LayerAddition
{
    private readonly Pair[] _pairs;

    /// <summary>Reads the factors.</summary>
    /// <param name="sources">The adapters, for messages.</param>
    /// <param name="layers">The factors of each, and what their product is multiplied by beside their own scale.</param>
    public LayerAddition(string sources, IReadOnlyList<(LoraLayerTables Layer, float Strength)> layers)
    {
        Sources = sources;
        _pairs = [.. layers.Select(l =>
        {
            (float[] a, float[] b) = l.Layer.Read();
            return new Pair(a, b, l.Layer.Rank, l.Strength * l.Layer.Scale);
        })];
    }

    /// <summary>The adapters, for messages.</summary>
    public string Sources { get; }

    /// <summary>Adds to some rows and columns of the weight. Any thread may call it.</summary>
    /// <param name="values">[rows, columns], changed.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="firstOutput">The output that the first row stands for.</param>
    /// <param name="firstInput">The input that the first column stands for.</param>
    public void AddTo(Memory<float> values, int rows, int firstOutput, int firstInput)
    {
        int columns = values.Length / rows;
        foreach (Pair pair in _pairs)
        {
            float[] left = Scaled(pair.B.AsSpan(firstOutput * pair.Rank, rows * pair.Rank), pair.Scale);
            MatrixSum.Add(values, rows, left, pair.Columns(firstInput, columns));
        }
    }

    /// <summary>Adds to some rows of the weight's transposed form [inputs, outputs]. Any thread may call it.</summary>
    /// <param name="values">[rows, outputs], changed.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="firstInput">The input that the first row stands for.</param>
    /// <param name="factor">Multiplies what is added.</param>
    public void AddTransposedTo(Memory<float> values, int rows, int firstInput, float factor)
    {
        foreach (Pair pair in _pairs)
        {
            float[] left = Scaled(pair.TurnedA.AsSpan(firstInput * pair.Rank, rows * pair.Rank), factor * pair.Scale);
            MatrixSum.Add(values, rows, left, pair.TurnedB);
        }
    }

    /// <summary>What is added to the product of the weight's first columns with a vector.</summary>
    public float[] Times(ReadOnlySpan<float> vector)
    {
        float[]? product = null;
        foreach (Pair pair in _pairs)
        {
            int inputs = pair.A.Length / pair.Rank;
            int outputs = pair.B.Length / pair.Rank;
            float[] low = new float[pair.Rank];
            for (int r = 0; r < low.Length; r++)
            {
                low[r] = pair.Scale * TensorPrimitives.Dot(pair.A.AsSpan(r * inputs, vector.Length), vector);
            }
            product ??= new float[outputs];
            for (int row = 0; row < outputs; row++)
            {
                product[row] += TensorPrimitives.Dot<float>(pair.B.AsSpan(row * pair.Rank, pair.Rank), low);
            }
        }
        return product!;
    }

    private static float[] Scaled(ReadOnlySpan<float> numbers, float factor)
    {
        float[] scaled = new float[numbers.Length];
        TensorPrimitives.Multiply(numbers, factor, scaled);
        return scaled;
    }

    /// <summary>One adapter's factors: A [rank, inputs] and B [outputs, rank].</summary>
    private sealed class Pair(float[] a, float[] b, int rank, float scale)
    {
        private readonly Lazy<float[]> _turnedA = new(() => Turned(a, a.Length / rank));
        private readonly Lazy<float[]> _turnedB = new(() => Turned(b, rank));
        private readonly ConcurrentDictionary<(int, int), float[]> _columns = [];

        public float[] A => a;

        public float[] B => b;

        /// <summary>A as [inputs, rank].</summary>
        public float[] TurnedA => _turnedA.Value;

        /// <summary>B as [rank, outputs].</summary>
        public float[] TurnedB => _turnedB.Value;

        public int Rank => rank;

        public float Scale => scale;

        /// <summary>Some columns of A.</summary>
        public float[] Columns(int first, int count)
        {
            int inputs = a.Length / rank;
            return count == inputs ? a : _columns.GetOrAdd((first, count), _ =>
            {
                float[] part = new float[rank * count];
                for (int r = 0; r < rank; r++)
                {
                    a.AsSpan(r * inputs + first, count).CopyTo(part.AsSpan(r * count));
                }
                return part;
            });
        }

        private static float[] Turned(float[] matrix, int columns)
        {
            int rows = matrix.Length / columns;
            float[] turned = new float[matrix.Length];
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    turned[column * rows + row] = matrix[row * columns + column];
                }
            }
            return turned;
        }
    }
}
