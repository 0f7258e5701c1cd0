using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Runtime;

/// <summary>Adapters as inputs of the transformer, against exports with the same adapters merged.</summary>
public sealed class AdapterInputTests : IDisposable
{
    private static readonly string Model = Fixtures.Path("tiny-flux");
    private static readonly OnnxExportOptions Student = new() { ReleaseFolder = Fixtures.Path("tiny-dsd") };
    private static readonly DsdOptions Guided = new() { Width = 48, Height = 32, Steps = 3, MaxTextTokens = 16, TextGuidance = 2f, UnguidedSteps = 1 };
    private static readonly Picture Reference = new(32, 20, [.. Enumerable.Range(0, 32 * 20 * 3).Select(i => (byte)(i * i / 7))]);
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    [Theory]
    [InlineData(GraphTarget.Portable, ExportPrecision.Float32)]
    [InlineData(GraphTarget.Cuda, ExportPrecision.Float32)]
    [InlineData(GraphTarget.Portable, ExportPrecision.Float16)]
    public void APictureIsThatOfTheMergedAdapter(GraphTarget target, ExportPrecision precision)
    {
        OnnxExportOptions options = Student with { Target = target, Precision = precision };
        (string one, string two) = (Adapter("one", 3), Adapter("two", 9));
        OnnxExporter.Export(Model, null, _folder.File("plain"), options);
        OnnxExporter.Export(Model, null, _folder.File("inputs"), options with { AdapterInputs = true });
        OnnxMerger.Merge(_folder.File("plain"), [new LoraUse(one, 0.5f)], _folder.File("merged one"));
        OnnxMerger.Merge(_folder.File("plain"), [new LoraUse(one), new LoraUse(two, -0.7f)], _folder.File("merged both"));

        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File("inputs"));
        using OnnxPipeline withOne = pipeline.WithAdapters([new LoraUse(one, 0.5f)]);
        using OnnxPipeline withBoth = pipeline.WithAdapters([new LoraUse(one), new LoraUse(two, -0.7f)]);
        using OnnxPipeline withNone = pipeline.WithAdapters([]);

        byte[] plain = Drawn("plain");
        Assert.True(Difference(plain, Drawn("merged one")) > 3, "The adapter does not show.");
        // In half precision the factors are rounded, and not their product with the weight.
        int most = precision == ExportPrecision.Float32 ? 1 : 4;
        Assert.InRange(Difference(plain, Drawn(pipeline)), 0, most);
        Assert.InRange(Difference(plain, Drawn(withNone)), 0, most);
        Assert.InRange(Difference(Drawn("merged one"), Drawn(withOne)), 0, most);
        Assert.InRange(Difference(Drawn("merged both"), Drawn(withBoth)), 0, most);
        // One does not change another.
        Assert.InRange(Difference(Drawn("merged one"), Drawn(withOne)), 0, most);
        Assert.InRange(Difference(plain, Drawn(pipeline)), 0, most);
        Assert.Single(pipeline.Placements, p => p.Component == "transformer");
    }

    [Fact]
    public void WeightsOfFewBits_TakeAdapters()
    {
        string one = Adapter("one", 3);
        OnnxExportOptions options = Student with { Target = GraphTarget.Cuda, Precision = ExportPrecision.Int8 };
        // In bfloat16 between the weights, which the processor does not compute in: the graph's inputs are looked at.
        OnnxExporter.Export(Model, null, _folder.File("inputs"), options with { AdapterInputs = true });
        OnnxExporter.Export(Model, null, _folder.File("portable"), options with { Target = GraphTarget.Portable, AdapterInputs = true });
        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File("portable"));
        using OnnxPipeline withOne = pipeline.WithAdapters([new LoraUse(one)]);

        Assert.True(Difference(Drawn(pipeline), Drawn(withOne)) > 3);
        using FileStream file = File.OpenRead(_folder.File(Path.Combine("inputs", "transformer", "model.onnx")));
        string[] inputs = [.. ModelProto.Parser.ParseFrom(file).Graph.Input.Select(i => i.Name)];
        Assert.Contains("adapter.transformer_blocks.0.attn.to_q.A", inputs);
        Assert.Contains("adapter.single_transformer_blocks.0.proj_out.A.32", inputs);
    }

    [Fact]
    public async Task CallsAtOnce_HaveTheirOwnAdapters()
    {
        OnnxExporter.Export(Model, null, _folder.File("inputs"), Student with { AdapterInputs = true, Target = GraphTarget.Cuda });
        using OnnxPipeline pipeline = OnnxPipeline.Open(
            _folder.File("inputs"), new OnnxRuntimeOptions { Threads = 1, Memory = OnnxMemoryMode.IdleClosed });
        pipeline.Model.Sessions.RecordsSteps = true;
        OnnxPipeline[] adapted = [.. Enumerable.Range(0, 4).Select(i => pipeline.WithAdapters([new LoraUse(Adapter($"{i}", 3 + i))]))];
        byte[][] alone = [.. adapted.Select(Drawn)];
        Assert.Equal(4, alone.Select(Convert.ToHexString).Distinct().Count());

        byte[][] together = await Task.WhenAll(adapted.Concat(adapted).Select(p => Task.Run(() => Drawn(p))));

        Assert.Equal(alone.Concat(alone), together);
        foreach (OnnxPipeline one in adapted)
        {
            one.Dispose();
        }
        // The sessions are the first one's.
        Assert.NotEmpty(Drawn(pipeline));
    }

    [Fact]
    public void RecordedSteps_LetGoOfAdaptersThatAreDisposed()
    {
        OnnxExporter.Export(Model, null, _folder.File("inputs"), Student with { AdapterInputs = true, Target = GraphTarget.Cuda });
        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File("inputs"));
        pipeline.Model.Sessions.RecordsSteps = true;
        Drawn(pipeline);
        int own = pipeline.Model.Batches.Kept;
        using (OnnxPipeline adapted = pipeline.WithAdapters([new LoraUse(Adapter("one", 3))]))
        {
            Drawn(adapted);
            Assert.True(pipeline.Model.Batches.Kept > own);
        }

        Assert.Equal(own, pipeline.Model.Batches.Kept);
        Assert.NotEmpty(Drawn(pipeline));
    }

    [Fact]
    public void WhatHasNoInput_IsRefused_AndListed()
    {
        OnnxExporter.Export(Model, null, _folder.File("plain"), Student);
        OnnxExporter.Export(Model, null, _folder.File("inputs"), Student with { AdapterInputs = true });
        using OnnxPipeline plain = OnnxPipeline.Open(_folder.File("plain"));
        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File("inputs"));
        string wrong = Written("wrong", "transformer_blocks.0.norm1.linear", 32, 192, 2);
        string wide = Written("wide", "transformer_blocks.0.attn.to_q", 40, 32, 2);

        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => plain.WithAdapters([new LoraUse(wrong)]));
        Assert.Contains("dsd merge", e.Message, StringComparison.Ordinal);
        Assert.Contains("'transformer_blocks.0.norm1.linear', which has no inputs", Refused(wrong), StringComparison.Ordinal);
        Assert.Contains("40 inputs and 32 outputs where the layer has 32 and 32", Refused(wide), StringComparison.Ordinal);

        string Refused(string file) => Assert.Throws<WeightsException>(() => pipeline.WithAdapters([new LoraUse(file)])).Message;
    }

    [Fact]
    public void AnAdapterCanBeMergedIntoSuchAModelToo()
    {
        (string one, string two) = (Adapter("one", 3), Adapter("two", 4));
        OnnxExporter.Export(Model, null, _folder.File("plain"), Student with { Target = GraphTarget.Cuda });
        OnnxExporter.Export(Model, null, _folder.File("inputs"), Student with { Target = GraphTarget.Cuda, AdapterInputs = true });
        OnnxMerger.Merge(_folder.File("plain"), [new LoraUse(one), new LoraUse(two)], _folder.File("merged both"));
        OnnxMerger.Merge(_folder.File("inputs"), [new LoraUse(one)], _folder.File("merged"));
        using OnnxPipeline merged = OnnxPipeline.Open(_folder.File("merged"));
        using OnnxPipeline both = merged.WithAdapters([new LoraUse(two)]);

        Assert.InRange(Difference(Drawn("merged both"), Drawn(both)), 0, 1);
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static byte[] Drawn(OnnxPipeline pipeline) => pipeline.Generate([new DsdRequest(Reference, "a fox", 7)], Guided)[0].Pixels.ToArray();

    private static int Difference(byte[] one, byte[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();

    private byte[] Drawn(string folder)
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File(folder));
        return Drawn(pipeline);
    }

    /// <summary>An adapter over every linear layer but those that make the modulation.</summary>
    private string Adapter(string name, int rank)
    {
        using WeightSource student = WeightSource.Open(Path.Combine(Student.ReleaseFolder!, "transformer"));
        Dictionary<string, Tensor> tensors = [];
        using Generator random = new((ulong)rank);
        foreach (string weight in student.Names.Where(n => n.EndsWith(".weight", StringComparison.Ordinal) && student.Entry(n).Shape.Length == 2
            && !n.Contains("norm", StringComparison.Ordinal) && !n.Contains("lora", StringComparison.Ordinal)
            && !n.StartsWith("time_text_embed.", StringComparison.Ordinal)))
        {
            long[] shape = [.. student.Entry(weight).Shape];
            string layer = $"transformer.{weight[..^".weight".Length]}";
            tensors.Add($"{layer}.lora_A.weight", randn([rank, shape[1]], generator: random) / Math.Sqrt(shape[1]));
            tensors.Add($"{layer}.lora_B.weight", randn([shape[0], rank], generator: random) / 4);
        }
        Assert.Contains("transformer.single_transformer_blocks.0.proj_out.lora_A.weight", tensors.Keys);
        Assert.Contains("transformer.c_embedder.lora_A.weight", tensors.Keys);
        SafetensorsWriter.Write(_folder.File($"{name}.safetensors"), tensors);
        return _folder.File($"{name}.safetensors");
    }

    private string Written(string name, string layer, int inputs, int outputs, int rank)
    {
        string file = _folder.File($"{name}.safetensors");
        SafetensorsWriter.Write(file, new Dictionary<string, Tensor>
        {
            [$"transformer.{layer}.lora_A.weight"] = ones(rank, inputs),
            [$"transformer.{layer}.lora_B.weight"] = ones(outputs, rank),
        });
        return file;
    }
}
