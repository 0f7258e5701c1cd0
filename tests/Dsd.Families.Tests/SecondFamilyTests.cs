using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Testing;

namespace Dsd.Families.Tests;

/// <summary>A second family, registered from here without a change in <c>src</c>, does all that FLUX does.</summary>
public sealed class SecondFamilyTests : IDisposable
{
    private const int Side = 32;
    private readonly ToyFolder _toy = new();
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Samples_FromTextAlone_TheSameForTheSameSeed()
    {
        using TextToImagePipeline teacher = TextToImagePipeline.Load(_toy.Path);
        TextToImageOptions options = new() { Width = Side, Height = 2 * Side, Steps = 3 };

        IReadOnlyList<Picture> two = teacher.Generate([new("a fox", 1), new("a cat", 2)], options);

        Assert.Equal((Side, 2 * Side), (two[0].Width, two[0].Height));
        Assert.False(two[0].Pixels.SequenceEqual(two[1].Pixels));
        Near(two[1], teacher.Generate([new("a cat", 2)], options)[0]);
    }

    [Fact]
    public void TrainsALora_WhoseLossFalls_AndDrawsWithIt()
    {
        using LoraAdapter adapter = Train(out double first, out double last);
        Assert.True(last < 0.8 * first, $"{first} {last}");
        Assert.Equal(["hidden", "proj_out"], adapter.Factors.Keys);
        Assert.True(adapter.HasCondition);
        adapter.Save(_folder.File("lora.safetensors"));

        using DsdPipeline plain = DsdPipeline.Load(_toy.Path);
        using DsdPipeline student = DsdPipeline.Load(_toy.Path, options: new PipelineOptions { Loras = [new LoraUse(_folder.File("lora.safetensors"))] });
        ModelCheck.Conditional(_toy.Path, null, Side, Side, new PipelineOptions { Loras = [new LoraUse(_folder.File("lora.safetensors"))] });
        Assert.NotEqual(Draw(plain).Pixels.ToArray(), Draw(student).Pixels.ToArray());
    }

    [Fact]
    public void Exports_AndOnnxRuntimeDrawsTheSame()
    {
        using LoraAdapter adapter = Train(out _, out _);
        adapter.Save(_folder.File("lora.safetensors"));
        OnnxExporter.Export(_toy.Path, new LoraUse(_folder.File("lora.safetensors")), _folder.File("onnx"));

        using DsdPipeline torch = DsdPipeline.Load(_toy.Path, options: new PipelineOptions { Loras = [new LoraUse(_folder.File("lora.safetensors"))] });
        using OnnxPipeline onnx = OnnxPipeline.Open(_folder.File("onnx"));
        Assert.Equal(("toy", true), (onnx.Folder.Family, onnx.Folder.IsConditional));
        Near(Draw(torch), Draw(onnx));
    }

    [Fact]
    public void ItsOwnNamesInAnAdapter_AreUnderstood()
    {
        using (LoraAdapter adapter = Train(out _, out _))
        {
            SafetensorsWriter.Write(
                _folder.File("published.safetensors"),
                [KeyValuePair.Create("mlp.lora_A.weight", adapter.Factors["hidden"].A), KeyValuePair.Create("mlp.lora_B.weight", adapter.Factors["hidden"].B)]);
        }
        using LoraAdapter read = LoraAdapter.Load(_folder.File("published.safetensors"));
        Assert.Equal(["hidden"], read.Factors.Keys);
        using DiffusionModel model = DiffusionModel.LoadConditional(_toy.Path);
        using LoraAttachment attached = read.Attach(model.Network);
    }

    [Fact]
    public void AFamilyOfATakenName_IsRefused() =>
        Assert.Contains("'toy'", Assert.Throws<ArgumentException>(() => ModelFamilies.Register(new ToyFamily())).Message, StringComparison.Ordinal);

    public void Dispose()
    {
        _folder.Dispose();
        _toy.Dispose();
    }

    private LoraAdapter Train(out double first, out double last)
    {
        List<TrainingProgress> seen = [];
        using DiffusionModel model = DiffusionModel.LoadConditional(_toy.Path);
        LoraTrainingOptions options = new()
        {
            Width = Side,
            Height = Side,
            Steps = 120,
            BatchSize = 4,
            LearningRate = 2e-2,
            ReportEvery = 20,
            Adapter = new LoraOptions { Rank = 4 },
        };
        LoraAdapter adapter = new LoraTrainer(model, options).Train(
            [new TrainingPair(Plain(200), Plain(220), "a bright fox"), new TrainingPair(Plain(20), Plain(40), "a dark fox")], new Direct(seen));
        (first, last) = (seen[0].Loss, seen[^1].Loss);
        return adapter;
    }

    private static Picture Draw(IDsdModel model) => model.Generate(
        [new DsdRequest(Plain(200), "a bright fox", 3)], new DsdOptions { Width = Side, Height = Side, Steps = 4, ImageGuidance = 2, TextGuidance = 1.5f })[0];

    private static Picture Plain(byte grey)
    {
        byte[] pixels = new byte[3 * Side * Side];
        Array.Fill(pixels, grey);
        return new Picture(Side, Side, pixels);
    }

    private static void Near(Picture expected, Picture found) =>
        Assert.All(expected.Pixels.ToArray().Zip(found.Pixels.ToArray()), p => Assert.InRange(Math.Abs(p.First - p.Second), 0, 1));

    private sealed class Direct(List<TrainingProgress> seen) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => seen.Add(value);
    }
}
