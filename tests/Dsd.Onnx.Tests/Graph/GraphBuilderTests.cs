using Dsd.Onnx.Graph;
using Dsd.Testing;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Tests.Graph;

/// <summary>The builder by itself, as somebody with a network of their own uses it.</summary>
public sealed class GraphBuilderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // One graph in two types: inputs and outputs stay single precision.
    [Theory]
    [InlineData(ElementType.Float32, 1e-6)]
    [InlineData(ElementType.Float16, 2e-3)]
    public void AGraph_IsWritten_AndOnnxRuntimeRunsIt(ElementType floats, double tolerance)
    {
        GraphBuilder graph = new("scorer", floats);
        Value x = graph.Input("x", "batch", "2");
        using (graph.Scope("layer"))
        {
            x = graph.Softmax(graph.MatMul(x, graph.Table("weight", [1f, 0.5f, -1f, 2f], 2, 2)), axis: -1);
        }
        graph.Output("scores", graph.Node("Neg", [x], 1, [])[0], "batch", "2");

        ModelWriter.Write(graph, _folder.File("scorer"));

        using InferenceSession session = new(Path.Combine(_folder.File("scorer"), ModelWriter.ModelFile));
        using OrtValue input = OrtValue.CreateTensorValueFromMemory([1f, 2f], [1L, 2L]);
        using RunOptions run = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, ["x"], [input], ["scores"]);
        // x·W is (−1, 4.5).
        double second = 1 / (1 + Math.Exp(-5.5));
        Assert.Equal(-(1 - second), outputs[0].GetTensorDataAsSpan<float>()[0], tolerance);
        Assert.Equal(-second, outputs[0].GetTensorDataAsSpan<float>()[1], tolerance);
        Assert.Throws<IOException>(() => ModelWriter.Write(graph, _folder.File("scorer")));
    }

    [Fact]
    public void ATypeThatIsNoRealNumber_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new GraphBuilder("g", ElementType.Int64));
        Assert.Throws<ArgumentException>(() => new GraphBuilder("g").Node("Neg", [new Value("x")], 1, [("axis", 1.0)]));
    }

    [Theory]
    [InlineData(70000f)]
    [InlineData(-65521f)]
    public void ANumberBeyondHalfPrecision_IsRefused(float number)
    {
        GraphBuilder graph = new("g", ElementType.Float16);
        graph.Output("y", graph.Add(graph.Input("x", "1"), graph.Float(number)), "1");

        Assert.Contains("65,504", Assert.Throws<OverflowException>(() => ModelWriter.Write(graph, _folder.File("g"))).Message, StringComparison.Ordinal);
    }
}
