using Dsd.Common.Files;
using Dsd.Models.Sampling;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Microsoft.ML.OnnxRuntime;
using static Dsd.Onnx.Runtime.OnnxProvider;

namespace Dsd.Onnx.Tests.Runtime;

public class OnnxPlacementTests(ExportedModels models) : IClassFixture<ExportedModels>
{
    private const string OnCpu = "CPUExecutionProvider";
    private const string OnCuda = "CUDAExecutionProvider";
    private const string OnTensorRt = "TensorrtExecutionProvider";

    private static readonly TextToImageOptions Small = new() { Width = 48, Height = 32, Steps = 1, MaxTextTokens = 16 };

    [Fact]
    public void Placements_AreThoseOfTheSessions_OnceTheyAreOpen()
    {
        List<string> warnings = [];
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Teacher, new OnnxRuntimeOptions { Warn = warnings.Add });
        Assert.Empty(pipeline.Placements);

        pipeline.Generate([new TextToImageRequest("a fox", 1)], Small);
        pipeline.Generate([new TextToImageRequest("a dragon", 1)], Small);

        Assert.Equal(["text_encoder", "text_encoder_2", "modulation", "transformer", "vae_decoder"], pipeline.Placements.Select(p => p.Component));
        foreach (OnnxPlacement placement in pipeline.Placements)
        {
            // The basic optimisations fold some nodes away, so the exact number is ONNX Runtime's affair.
            Assert.InRange(placement.Count, 10, 10_000);
            Assert.Equal([new(OnCpu, placement.Count)], placement.Nodes);
            Assert.Empty(placement.LeftToProcessor);
        }
        Assert.Empty(warnings);
        Assert.StartsWith("the CPU (text_encoder ", OnnxPlacement.Line(pipeline.Placements), StringComparison.Ordinal);
    }

    /// <summary>A session that was opened for CUDA and whose nodes all run on the processor is not told to be CUDA's.</summary>
    [Fact]
    public void Placements_AreNotTakenFromTheOptions()
    {
        List<string> warnings = [];
        OnnxRuntimeOptions options = new() { Providers = [Cuda], Warn = warnings.Add };
        OnnxModelFolder folder = OnnxModelFolder.Open(models.Teacher);
        using OnnxSessions sessions = new(folder, options, new StandInProviders(Cuda));
        using OnnxTensor latent = OnnxTensor.Of(new float[4 * 4 * folder.Manifest.LatentChannels], 1, folder.Manifest.LatentChannels, 4, 4);

        foreach (OnnxTensor output in sessions.Run("vae_decoder", [("latent", latent)]))
        {
            output.Dispose();
        }

        OnnxPlacement placement = Assert.Single(sessions.Placements);
        Assert.Equal([OnCpu], placement.Nodes.Keys);
        Assert.StartsWith("vae_decoder 0 of ", placement.ToString(), StringComparison.Ordinal);
        Assert.Contains("Conv", placement.LeftToProcessor.Keys);
        string warning = Assert.Single(warnings);
        Assert.Contains("nodes of 'vae_decoder' run on the CPU, since CUDA lacks their operators: ", warning, StringComparison.Ordinal);
        Assert.Contains($"Conv ({placement.LeftToProcessor["Conv"]})", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void AMixture_IsCounted_AndShapesOnTheProcessorAreNoWarning()
    {
        PlacedNode[] nodes =
        [
            .. Enumerable.Range(0, 1200).Select(i => new PlacedNode(OnCuda, $"mul.{i}", "Mul")),
            new(OnCpu, "shape", "Shape"), new(OnCpu, "add", "Add"), new(OnCpu, "more", "Add"), new(OnCpu, "fused by the optimiser", "Gelu"),
        ];

        OnnxPlacement warned = OnnxPlacement.Of("transformer", [Cuda], nodes, () => new HashSet<string> { "shape" });
        OnnxPlacement expected = OnnxPlacement.Of("transformer", [Cuda], nodes[..1201], () => new HashSet<string> { "shape" });

        Assert.Equal([new(OnCpu, 4), new(OnCuda, 1200)], warned.Nodes);
        Assert.Equal([new("Add", 2), new("Gelu", 1)], warned.LeftToProcessor);
        Assert.Equal("transformer 1,200 of 1,204 nodes", warned.ToString());
        Assert.Equal(
            "3 of 1,204 nodes of 'transformer' run on the CPU, since CUDA lacks their operators: Add (2), Gelu. Each is a copy from the device and back in "
                + "every run.",
            warned.Warning());
        Assert.Null(expected.Warning());
        Assert.Equal("CUDA (transformer 1,200 of 1,204 nodes, transformer 1,200 of 1,201 nodes)", OnnxPlacement.Line([warned, expected]));
    }

    [Fact]
    public void BehindTensorRt_CudaIsCountedApart()
    {
        PlacedNode[] nodes = [new(OnTensorRt, "a", "MatMul"), new(OnTensorRt, "b", "MatMul"), new(OnCuda, "c", "Attention"), new(OnCpu, "d", "Shape")];

        OnnxPlacement placement = OnnxPlacement.Of("transformer", [TensorRt, Cuda], nodes, () => new HashSet<string> { "d" });

        Assert.Equal("transformer 2 and 1 on CUDA of 4 nodes", placement.ToString());
        Assert.Null(placement.Warning());
    }

    [Fact]
    public void AProviderOfALibrary_MayHaveANameOfItsOwn()
    {
        OnnxPlacement placement = OnnxPlacement.Of("transformer", [Cuda], [new("CudaPluginExecutionProvider", "a", "MatMul")], () => new HashSet<string>());

        Assert.Equal("transformer 1 of 1 nodes", placement.ToString());
    }

    [Fact]
    public void ShapeArithmetic_EndsWhereDataComesIn()
    {
        using TemporaryFolder folder = new();
        GraphBuilder graph = new("test");
        Value x = graph.Input("x", "batch", "64");
        Value rows = graph.Gather(graph.Shape(x), graph.Ints(0));
        Value size = graph.Concat(0, rows, graph.Ints(8, 8));
        graph.Output("y", graph.Reshape(graph.Mul(x, graph.Float(2)), size), "batch", "8", "8");
        ModelWriter.Write(graph, new HashedFolder(folder.Path), long.MaxValue, ModelWriter.MostBytesBeside, CancellationToken.None);

        IReadOnlySet<string> shapes = ShapeArithmetic.NodesOf(folder.File(ModelWriter.ModelFile));

        Assert.Equal(["Concat_1", "Gather_1", "Shape_1"], shapes.Order());
    }

    [Fact]
    public void ASession_ThatWasNotToldToRecord_SaysSo()
    {
        using InferenceSession session = new(ProbeModel.Bytes);

        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => PlacementReader.Read(session));

        Assert.Contains("ONNX Runtime cannot say", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASession_NamesItsNodes()
    {
        using SessionOptions options = new();
        PlacementReader.Record(options);
        using InferenceSession session = new(ProbeModel.Bytes, options);

        Assert.Equal([new PlacedNode(OnCpu, "Add_1", "Add")], PlacementReader.Read(session));
    }
}
