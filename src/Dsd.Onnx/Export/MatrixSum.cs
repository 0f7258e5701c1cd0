using System.Buffers;
using Dsd.Onnx.Graph;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Export;

/// <summary>Adds a product of two matrices to a third, by ONNX Runtime's product on the processor.</summary>
internal static class MatrixSum
{
    private static readonly Lazy<InferenceSession> Session = new(() =>
    {
        GraphBuilder graph = new("sum");
        Value left = graph.Input("left", "rows", "rank");
        Value right = graph.Input("right", "rank", "columns");
        Value values = graph.Input("values", "rows", "columns");
        graph.Output("sum", graph.Add(graph.MatMul(left, right), values), "rows", "columns");
        // Whoever writes a model calls from as many threads as there are processors.
        using SessionOptions options = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        return new InferenceSession(ModelWriter.Bytes(graph), options);
    });

    private static readonly string[] Inputs = ["left", "right", "values"];
    private static readonly string[] Outputs = ["sum"];

    /// <summary>Adds <c>left · right</c> to values. Any thread may call it.</summary>
    /// <param name="values">[rows, columns], changed.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="left">[rows, rank].</param>
    /// <param name="right">[rank, columns].</param>
    public static void Add(Memory<float> values, int rows, Memory<float> left, Memory<float> right)
    {
        (int columns, int rank) = (values.Length / rows, left.Length / rows);
        float[] rented = ArrayPool<float>.Shared.Rent(values.Length);
        try
        {
            Memory<float> sum = rented.AsMemory(0, values.Length);
            using OrtValue ofLeft = Tensor(left, rows, rank);
            using OrtValue ofRight = Tensor(right, rank, columns);
            using OrtValue ofValues = Tensor(values, rows, columns);
            using OrtValue ofSum = Tensor(sum, rows, columns);
            using RunOptions options = new();
            Session.Value.Run(options, Inputs, [ofLeft, ofRight, ofValues], Outputs, [ofSum]);
            sum.CopyTo(values);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
        }
    }

    private static OrtValue Tensor(Memory<float> numbers, long rows, long columns) =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, numbers, [rows, columns]);
}
