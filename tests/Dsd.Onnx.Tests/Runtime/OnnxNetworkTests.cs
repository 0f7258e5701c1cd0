using Dsd.Models.Weights;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;
using Dsd.Testing;

namespace Dsd.Onnx.Tests.Runtime;

public sealed class OnnxNetworkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_GivesTheOutput()
    {
        using OnnxNetwork network = OnnxNetwork.Open(Twice());
        using OnnxTensor input = OnnxTensor.Of([1f, 2, 3, 4], 2, 2);
        using OnnxTensor output = network.Run("x", input, "y");
        Assert.Equal([2, 2], output.Shape);
        Assert.Equal([2, 4, 6, 8], output.Floats.ToArray());
    }

    [Fact]
    public void Run_SaysWhatDoesNotFit_AndCanBeCancelled()
    {
        string file = Twice();
        using OnnxNetwork network = OnnxNetwork.Open(file);
        using OnnxTensor input = OnnxTensor.Of([1f, 2, 3], 1, 3);
        Assert.Contains(file, Assert.Throws<InvalidOperationException>(() => network.Run("x", input, "y")).Message, StringComparison.Ordinal);
        Assert.Throws<OperationCanceledException>(() => network.Run("x", input, "y", new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Open_NamesTheFile()
    {
        string none = _folder.File("none.onnx");
        Assert.Contains("no such file", Assert.Throws<FileNotFoundException>(() => OnnxNetwork.Open(none)).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder.File("letter.onnx"), "dear");
        WeightsException e = Assert.Throws<WeightsException>(() => OnnxNetwork.Open(_folder.File("letter.onnx")));
        Assert.Contains("letter.onnx", e.Message, StringComparison.Ordinal);
    }

    private string Twice()
    {
        GraphBuilder graph = new("twice");
        graph.Output("y", graph.Mul(graph.Input("x", "batch", "2"), graph.Float(2)), "batch", "2");
        ModelWriter.Write(graph, _folder.File("twice"));
        return _folder.File("twice", ModelWriter.ModelFile);
    }
}
