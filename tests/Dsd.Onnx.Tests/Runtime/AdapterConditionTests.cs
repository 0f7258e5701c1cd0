using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Runtime;

/// <summary>Adapters as inputs that hold the condition's layer whole, as training writes them, against exports with the same adapters merged.</summary>
public sealed class AdapterConditionTests : IDisposable
{
    private static readonly string Teacher = Fixtures.Path("tiny-flux");
    private static readonly OnnxExportOptions Student = new() { ReleaseFolder = Fixtures.Path("tiny-dsd") };
    private static readonly DsdOptions Drawing = new() { Width = 48, Height = 32, Steps = 3, MaxTextTokens = 16 };
    private static readonly Picture Reference = Noise(1, 40, 40);
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    [Theory]
    [InlineData(GraphTarget.Portable, ExportPrecision.Float32)]
    [InlineData(GraphTarget.Cuda, ExportPrecision.Float32)]
    [InlineData(GraphTarget.Portable, ExportPrecision.Float16)]
    public void ATrainedAdapter_MakesAStudentOfATeacher(GraphTarget target, ExportPrecision precision)
    {
        string trained = Trained();
        OnnxExportOptions options = new() { Target = target, Precision = precision };
        OnnxExporter.Export(Teacher, null, _folder.File("inputs"), options with { AdapterInputs = true });
        OnnxExporter.Export(Teacher, new LoraUse(trained, 0.5f), _folder.File("merged"), options);

        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File("inputs"));
        using OnnxPipeline student = pipeline.WithAdapters([new LoraUse(trained, 0.5f)]);

        byte[] merged = Drawn("merged", Reference);
        int most = precision == ExportPrecision.Float32 ? 1 : 4;
        Assert.InRange(Difference(merged, Drawn(student, Reference)), 0, most);
        Assert.True(Difference(merged, Drawn(student, Noise(2, 40, 40))) > most, "The reference does not show.");
    }

    [Fact]
    public void WithoutSuchAnAdapter_ATeacherStaysATeacher()
    {
        OnnxExporter.Export(Teacher, null, _folder.File("inputs"), new() { AdapterInputs = true });
        OnnxExporter.Export(Teacher, null, _folder.File("plain"));
        string style = Written("style", ("proj_out.lora_A.weight", ones(2, 32)), ("proj_out.lora_B.weight", ones(64, 2) / 50));
        TextToImageOptions text = new() { Width = 48, Height = 32, Steps = 3, MaxTextTokens = 16 };
        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File("inputs"));
        using OnnxPipeline styled = pipeline.WithAdapters([new LoraUse(style)]);
        using OnnxPipeline plain = OnnxPipeline.Open(_folder.File("plain"));

        Assert.False(pipeline.Folder.IsConditional);
        Assert.Contains("until an adapter", Assert.Throws<InvalidOperationException>(() => Drawn(pipeline, Reference)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => Drawn(styled, Reference));
        Assert.InRange(Difference(Text(plain), Text(pipeline)), 0, 1);

        byte[] Text(OnnxPipeline from) => from.Generate([new TextToImageRequest("a fox", 7)], text)[0].Pixels.ToArray();
    }

    [Fact]
    public void AWholeLayerTakesTheModelsPlace_AndFactorsLieOverIt()
    {
        using Generator random = new(5);
        string whole = Written(
            "whole", ("proj_out.lora_A.weight", ones(2, 32)), ("proj_out.lora_B.weight", ones(64, 2) / 50),
            ("c_embedder.weight", randn([32, 64], generator: random) / 8), ("c_embedder.bias", randn([32], generator: random)));
        string factors = Written(
            "factors", ("c_embedder.lora_A.weight", randn([4, 64], generator: random) / 8),
            ("c_embedder.lora_B.weight", randn([32, 4], generator: random) / 2));
        LoraUse[] both = [new(whole, 0.3f), new(factors, -0.7f)];
        OnnxExporter.Export(Teacher, null, _folder.File("student"), Student);
        OnnxExporter.Export(Teacher, null, _folder.File("inputs"), Student with { AdapterInputs = true });
        OnnxMerger.Merge(_folder.File("student"), both, _folder.File("merged"));

        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File("inputs"));
        using OnnxPipeline with = pipeline.WithAdapters(both);

        byte[] student = Drawn("student", Reference);
        byte[] merged = Drawn("merged", Reference);
        Assert.True(Difference(student, merged) > 3, "The adapters do not show.");
        Assert.InRange(Difference(merged, Drawn(with, Reference)), 0, 1);
        // The model's own layer is there again where none replaces it.
        Assert.InRange(Difference(student, Drawn(pipeline, Reference)), 0, 1);
    }

    [Fact]
    public void ATeacherThatAStudentIsMergedInto_IsAStudent()
    {
        string trained = Trained();
        OnnxExporter.Export(Teacher, null, _folder.File("inputs"), new() { AdapterInputs = true, Target = GraphTarget.Cuda });
        OnnxExporter.Export(Teacher, new LoraUse(trained), _folder.File("student"), new() { Target = GraphTarget.Cuda });
        OnnxMerger.Merge(_folder.File("inputs"), [new LoraUse(trained)], _folder.File("merged"));

        Assert.True(OnnxModelFolder.Open(_folder.File("merged")).IsConditional);
        Assert.InRange(Difference(Drawn("student", Reference), Drawn("merged", Reference)), 0, 1);
    }

    [Fact]
    public void WhatCannotTakeTheModelsPlace_IsRefused()
    {
        (string, Tensor)[] style = [("proj_out.lora_A.weight", ones(2, 32)), ("proj_out.lora_B.weight", ones(64, 2))];
        string one = Written("one", [.. style, ("c_embedder.bias", ones(32))]);
        string two = Written("two", [.. style, ("c_embedder.bias", ones(32))]);
        string wide = Written("wide", [.. style, ("c_embedder.weight", ones(32, 60))]);
        string other = Written("other", [.. style, ("x_embedder.weight", ones(32, 64))]);
        string large = Written("large", [.. style, ("c_embedder.bias", ones(32) * 1e6)]);
        OnnxExporter.Export(Teacher, null, _folder.File("inputs"), Student with { AdapterInputs = true, Precision = ExportPrecision.Float16 });
        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File("inputs"));

        Assert.Contains("'c_embedder.bias' whole in both", Refused(one, two), StringComparison.Ordinal);
        Assert.Contains("'c_embedder.weight' [32, 60]", Refused(wide), StringComparison.Ordinal);
        Assert.Contains("where the layer has [32, 64]", Refused(wide), StringComparison.Ordinal);
        Assert.Contains("'x_embedder.weight' whole, which has no input", Refused(other), StringComparison.Ordinal);
        Assert.Contains("'c_embedder.bias' that Float16 holds", Refused(large), StringComparison.Ordinal);

        string Refused(params string[] files) =>
            Assert.Throws<WeightsException>(() => pipeline.WithAdapters([.. files.Select(f => new LoraUse(f))])).Message;
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static Picture Noise(int seed, int width, int height)
    {
        byte[] pixels = new byte[3 * width * height];
        new Random(seed).NextBytes(pixels);
        return new Picture(width, height, pixels);
    }

    private static byte[] Drawn(OnnxPipeline pipeline, Picture reference) =>
        pipeline.Generate([new DsdRequest(reference, "a fox", 7)], Drawing)[0].Pixels.ToArray();

    private static int Difference(byte[] one, byte[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();

    private byte[] Drawn(string folder, Picture reference)
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File(folder));
        return Drawn(pipeline, reference);
    }

    /// <summary>What training makes of the teacher, which has no layer for the condition.</summary>
    private string Trained()
    {
        using DiffusionModel model = DiffusionModel.LoadConditional(Teacher);
        TrainingPair[] pairs = [.. Enumerable.Range(0, 3).Select(i => new TrainingPair(Noise(i, 32, 32), Noise(100 + i, 32, 32), $"a picture {i}"))];
        LoraTrainingOptions options = new()
        {
            Width = 32,
            Height = 32,
            Steps = 12,
            BatchSize = 2,
            LearningRate = 0.03,
            Seed = 3,
            Adapter = new LoraOptions { Rank = 2 },
        };
        using LoraAdapter adapter = new LoraTrainer(model, options).Train(pairs);
        Assert.Contains("c_embedder.weight", adapter.Whole.Keys);
        string file = _folder.File("trained.safetensors");
        adapter.Save(file);
        return file;
    }

    private string Written(string name, params (string Name, Tensor Value)[] tensors)
    {
        string file = _folder.File($"{name}.safetensors");
        SafetensorsWriter.Write(file, tensors.ToDictionary(t => $"transformer.{t.Name}", t => t.Value));
        return file;
    }
}
