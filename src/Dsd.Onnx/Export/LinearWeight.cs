using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Dsd.Models.Weights;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>
/// The weight [outputs, inputs] of a linear layer in a checkpoint, with its adapter merged, in the forms that graphs take. It is read when a form is
/// written, and then that form alone is in memory.
/// </summary>
/// <param name="name">The tensor's name.</param>
/// <param name="inputs">Columns.</param>
/// <param name="outputs">Rows.</param>
/// <param name="source">The checkpoint, for messages.</param>
/// <param name="read">Reads elements from the given one on. Any thread may call it.</param>
/// <param name="isReplaced">Whether an adapter holds the weight whole.</param>
/// <param name="addition">Reads what adapters add to the weight; null is nothing.</param>
internal sealed class LinearWeight(
    string name, int inputs, int outputs, string source, LinearWeight.Reader read, bool isReplaced, Func<LayerAddition>? addition)
{
    // Rows that are converted together: enough for a cache line of each column.
    private const int RowsAtOnce = 32;

    /// <summary>Reads elements from the given one on.</summary>
    public delegate void Reader(long first, Span<float> values);

    /// <summary>Whether an adapter holds the weight whole.</summary>
    public bool IsReplaced => isReplaced;

    /// <summary>Reads what adapters add to the weight; null is nothing.</summary>
    public Func<LayerAddition>? Addition => addition;

    /// <summary>Some columns transposed to [inputs, outputs], as MatMul takes them.</summary>
    /// <param name="constant">The constant's name.</param>
    /// <param name="type">Its type.</param>
    /// <param name="scale">Multiplies every number.</param>
    /// <param name="firstInput">The first column.</param>
    /// <param name="count">How many columns; null is all from the first on.</param>
    public Initializer Transposed(string constant, ElementType type, float scale = 1, int firstInput = 0, int? count = null)
    {
        int columns = count ?? inputs - firstInput;
        return new Initializer(constant, type, [columns, outputs], (stream, cancel) =>
        {
            int bytes = checked((int)(type.Bytes() * columns * outputs));
            // Not from a pool: pools keep an array for each thread, and these have up to 0.1 GB.
            byte[] whole = GC.AllocateUninitializedArray<byte>(bytes);
            Blocks(columns, firstInput, scale, cancel, (first, rows, values) =>
            {
                if (type == ElementType.Float32)
                {
                    Turn<float>(values, rows, columns, MemoryMarshal.Cast<byte, float>(whole.AsSpan()), first);
                    return;
                }
                ushort[] narrow = ArrayPool<ushort>.Shared.Rent(values.Length);
                Narrowed(type, values, narrow);
                Turn<ushort>(narrow, rows, columns, MemoryMarshal.Cast<byte, ushort>(whole.AsSpan()), first);
                ArrayPool<ushort>.Shared.Return(narrow);
            });
            stream.Write(whole);
        })
        {
            IsReplaced = isReplaced,
            Adapt = addition is null ? null : () =>
            {
                LayerAddition opened = addition();
                return (first, rows, values) => opened.AddTransposedTo(values, rows, firstInput + first, scale);
            },
        };
    }

    /// <summary>Some columns in 8 bits, transposed to [inputs, outputs] as MatMulInteger takes them, and a scale for each output.</summary>
    public (Initializer Steps, Initializer Scales) Stepped(string constant, ElementType type, float scale = 1, int firstInput = 0, int? count = null)
    {
        int columns = count ?? inputs - firstInput;
        return (
            new Initializer($"{constant}.int8", ElementType.Int8, [columns, outputs], (stream, cancel) =>
            {
                byte[] whole = new byte[checked(columns * outputs)];
                Blocks(columns, firstInput, scale, cancel, (first, rows, values) =>
                {
                    sbyte[] steps = new sbyte[values.Length];
                    for (int row = 0; row < rows; row++)
                    {
                        ReadOnlySpan<float> weights = values.AsSpan(row * columns, columns);
                        float step = OutputScale(weights);
                        for (int i = 0; i < columns; i++)
                        {
                            steps[row * columns + i] = step == 0 ? (sbyte)0 : (sbyte)MathF.Round(weights[i] / step);
                        }
                    }
                    Turn<sbyte>(steps, rows, columns, MemoryMarshal.Cast<byte, sbyte>(whole.AsSpan()), first);
                });
                stream.Write(whole);
            }),
            new Initializer($"{constant}.scales", type, [outputs], (stream, cancel) =>
            {
                float[] scales = new float[outputs];
                Blocks(columns, firstInput, scale, cancel, (first, rows, values) =>
                {
                    for (int row = 0; row < rows; row++)
                    {
                        scales[first + row] = OutputScale(values.AsSpan(row * columns, columns));
                    }
                });
                type.Write(stream, scales);
            }));
    }

    /// <summary>
    /// Some columns in 4 or 8 bits, as MatMulNBits takes them: [outputs, blocks, bytes], numbers around 2^(bits − 1), and a scale for each block. The number
    /// of the largest magnitude in a block is met exactly, but for the scale's own rounding.
    /// </summary>
    public (Initializer Packed, Initializer Scales) Packed(
        string constant, ElementType type, int bits, int block, float scale = 1, int firstInput = 0, int? count = null)
    {
        int columns = count ?? inputs - firstInput;
        int blocks = (columns + block - 1) / block;
        int blockBytes = block * bits / 8;
        return (
            new Initializer($"{constant}.int{bits}", ElementType.UInt8, [outputs, blocks, blockBytes], (stream, cancel) =>
            {
                byte[] whole = new byte[checked(outputs * blocks * blockBytes)];
                Blocks(columns, firstInput, scale, cancel, (first, rows, values) =>
                {
                    for (int row = 0; row < rows; row++)
                    {
                        ReadOnlySpan<float> weights = values.AsSpan(row * columns, columns);
                        for (int i = 0; i < blocks; i++)
                        {
                            ReadOnlySpan<float> part = weights.Slice(i * block, Math.Min(block, columns - i * block));
                            Pack(part, bits, BlockScale(part, bits, type), whole.AsSpan(((first + row) * blocks + i) * blockBytes, blockBytes));
                        }
                    }
                });
                stream.Write(whole);
            }),
            new Initializer($"{constant}.scales", type, [(long)outputs * blocks], (stream, cancel) =>
            {
                float[] scales = new float[outputs * blocks];
                Blocks(columns, firstInput, scale, cancel, (first, rows, values) =>
                {
                    for (int row = 0; row < rows; row++)
                    {
                        for (int i = 0; i < blocks; i++)
                        {
                            ReadOnlySpan<float> part = values.AsSpan(row * columns + i * block, Math.Min(block, columns - i * block));
                            scales[(first + row) * blocks + i] = BlockScale(part, bits, type);
                        }
                    }
                });
                type.Write(stream, scales);
            }));
    }

    /// <summary>The weight times a vector, for what is constant in a graph.</summary>
    /// <param name="vector">As long as there are columns from the first on.</param>
    /// <param name="firstInput">The first column.</param>
    /// <param name="cancellationToken">Checked between rows.</param>
    public float[] Times(float[] vector, int firstInput = 0, CancellationToken cancellationToken = default)
    {
        float[] product = new float[outputs];
        Blocks(vector.Length, firstInput, 1, cancellationToken, (first, rows, values) =>
        {
            for (int row = 0; row < rows; row++)
            {
                product[first + row] = TensorPrimitives.Dot(values.AsSpan(row * vector.Length, vector.Length), vector);
            }
        });
        return product;
    }

    /// <summary>Some columns of all rows, a few rows at a time, from several threads.</summary>
    private void Blocks(int columns, int firstInput, float scale, CancellationToken cancel, Action<int, int, float[]> take)
    {
        LayerAddition? added = addition?.Invoke();
        try
        {
            // Each worker has room for a block, which the next one uses again: garbage of megabytes a block would outgrow the weights themselves.
            float[] Room() => new float[Math.Min(RowsAtOnce, outputs) * columns];
            Parallel.For(0, (outputs + RowsAtOnce - 1) / RowsAtOnce, new ParallelOptions { CancellationToken = cancel }, Room, (block, _, room) =>
            {
                int first = block * RowsAtOnce;
                int rows = Math.Min(RowsAtOnce, outputs - first);
                float[] values = rows * columns == room.Length ? room : new float[rows * columns];
                for (int row = 0; row < rows; row++)
                {
                    read((long)(first + row) * inputs + firstInput, values.AsSpan(row * columns, columns));
                }
                if (added is not null)
                {
                    RequireFinite(values, source);
                    added.AddTo(values, rows, first, firstInput);
                    RequireFinite(values, added.Sources);
                }
                if (scale != 1)
                {
                    TensorPrimitives.Multiply(values, scale, values);
                }
                take(first, rows, values);
                return room;
            }, _ => { });
        }
        catch (AggregateException e)
        {
            // One fault is as good as all: they come from the same tensor.
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private void Narrowed(ElementType type, float[] values, ushort[] narrow)
    {
        try
        {
            ElementTypes.Narrow(type, values, narrow);
        }
        catch (OverflowException e)
        {
            throw new WeightsException(source, $"numbers in '{name}' that {type} holds", e.Message, e);
        }
    }

    /// <summary>Refuses a merged weight that no longer is a number: a model with one in it draws nothing but noise, or black.</summary>
    private void RequireFinite(float[] values, string culprit)
    {
        if (!float.IsFinite(TensorPrimitives.MaxMagnitude<float>(values)))
        {
            throw new WeightsException(culprit, $"finite numbers in '{name}' once the adapter is merged", "NaN or infinity");
        }
    }

    private void Turn<T>(T[] values, int rows, int columns, Span<T> whole, int first)
        where T : unmanaged
    {
        for (int column = 0; column < columns; column++)
        {
            Span<T> turned = whole.Slice(column * outputs + first, rows);
            for (int row = 0; row < rows; row++)
            {
                turned[row] = values[row * columns + column];
            }
        }
    }

    /// <summary>The scale with which the number of the largest magnitude becomes the lowest step, as the scale's type holds it.</summary>
    private static float BlockScale(ReadOnlySpan<float> values, int bits, ElementType type)
    {
        float scale = TensorPrimitives.MaxMagnitude(values) / -(1 << (bits - 1));
        return ElementTypes.Rounded(type, scale);
    }

    // 7 bits of the 8: processors without instructions for such products add two of them in 16 bits, which overflow with more.
    private static float OutputScale(ReadOnlySpan<float> weights) => MathF.Abs(TensorPrimitives.MaxMagnitude(weights)) / 63;

    private static void Pack(ReadOnlySpan<float> values, int bits, float scale, Span<byte> packed)
    {
        int zero = 1 << (bits - 1);
        // What is beyond the columns stands for zero.
        packed.Fill((byte)(bits == 4 ? 0x88 : zero));
        for (int i = 0; i < values.Length; i++)
        {
            int step = scale == 0 ? zero : Math.Clamp((int)MathF.Round(values[i] / scale) + zero, 0, 2 * zero - 1);
            if (bits == 8)
            {
                packed[i] = (byte)step;
            }
            else if (i % 2 == 0)
            {
                packed[i / 2] = (byte)(packed[i / 2] & 0xF0 | step);
            }
            else
            {
                packed[i / 2] = (byte)(packed[i / 2] & 0x0F | step << 4);
            }
        }
    }
}
