using Dsd.Curation.Grids;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests;

/// <summary>The whole chain with real networks of random weights, from captions to pictures.</summary>
public sealed class RealChainTests
{
    private readonly MLContext _ml = new(1);

    public RealChainTests() => SampleClient.Register();

    [Fact]
    public void Fit_TurnsCaptionsIntoPictures_AndLoadGivesTheSame()
    {
        using TemporaryFolder folder = new();
        IDataView captions = Views.Captions(_ml, "a fox");
        using TransformerChain<DsdGeneratorTransformer> fitted = Chain().Fit(captions);
        GeneratedRow[] rows = [.. _ml.Data.CreateEnumerable<GeneratedRow>(fitted.Transform(captions), reuseRowObject: false)];
        Assert.Equal([(32, 32), (32, 32)], rows.Select(r => (r.Generated!.Width, r.Generated.Height)));
        _ml.Model.Save(fitted, captions.Schema, folder.File("chain.zip"));
        ITransformer loaded = new MLContext().Model.Load(folder.File("chain.zip"), out _);
        Assert.Equal(RowText.Of(fitted.Transform(captions)), RowText.Of(loaded.Transform(captions)));
        ((IDisposable)loaded).Dispose();
    }

    [Fact]
    public void Adapter_IsAFileThatTheModelsRead()
    {
        using TemporaryFolder folder = new();
        LoraFineTunerTransformer tuned = new LoraFineTuner(_ml, Tuner).Fit(SampleInput.Of(_ml, "pairs"));
        tuned.Adapter.Save(folder.File("adapter.safetensors"));
        using LoraAdapter adapter = LoraAdapter.Load(folder.File("adapter.safetensors"));
        Assert.True(adapter.HasCondition);
    }

    // Training in one program, drawing in another: an adapter's file joins a generator, without the fine-tuner or a view of pairs.
    [Fact]
    public void ASavedAdapter_JoinsAGenerator()
    {
        using TemporaryFolder folder = new();
        string file = folder.File("adapter.safetensors");
        LoraFineTunerTransformer tuned = new LoraFineTuner(_ml, Tuner).Fit(SampleInput.Of(_ml, "pairs"));
        tuned.Adapter.Save(file);
        LoraWeights loaded = LoraWeights.Load(file);
        Assert.Equal(tuned.Adapter.Fingerprint, loaded.Fingerprint);

        IDataView references = SampleInput.Of(_ml, "references");
        DsdGeneratorOptions options = Generator with { Backend = new TorchGeneration() };
        using DsdGeneratorTransformer joined = new DsdGenerator(_ml, options, loaded).Fit(references);
        using DsdGeneratorTransformer chained = new DsdGenerator(_ml, options).Fit(tuned.Transform(references));

        string[] drawn = Views.Column(joined.Transform(references), "Generated");
        Assert.Equal(Views.Column(chained.Transform(references), "Generated"), drawn);
        _ml.Model.Save(joined, references.Schema, folder.File("generator.zip"));
        ITransformer later = new MLContext().Model.Load(folder.File("generator.zip"), out _);
        Assert.Equal(drawn, Views.Column(later.Transform(references), "Generated"));
        ((IDisposable)later).Dispose();
    }

    [Fact]
    public void Transform_WarnsInTheContextsLogOfAPromptThatWasCut()
    {
        List<string> warnings = [];
        _ml.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
            {
                warnings.Add(e.Message);
            }
        };
        IDataView captions = Views.Captions(_ml, string.Join(' ', Enumerable.Repeat("a very long fox", 100)));
        using GridGeneratorTransformer fitted = new GridGenerator(_ml, Teacher).Fit(captions);
        Views.Column(fitted.Transform(captions), "Grid");
        Assert.Contains(warnings, w => w.Contains("cut off"));
    }

    [Fact]
    public void Transform_TellsTheContextsLogWhereAnExportComputes_Once()
    {
        List<string> told = [];
        _ml.Log += (_, e) =>
        {
            if (e.Message.Contains("ONNX Runtime computes with", StringComparison.Ordinal))
            {
                told.Add(e.Message);
            }
        };
        IDataView references = SampleInput.Of(_ml, "references");
        using DsdGeneratorTransformer fitted = new DsdGenerator(_ml, Generator with { ReleaseFolder = OwnFixtures.TinyDsd, BatchSize = 1 }).Fit(references);
        Views.Column(fitted.Transform(references), "Generated");
        Views.Column(fitted.Transform(references), "Generated");
        Assert.Matches("with the CPU [(]vae_encoder .*transformer ([0-9,]+) of \\1 nodes", Assert.Single(told));
    }

    /// <summary>As in a pool: an engine is for one thread at a time, and all share the transformer.</summary>
    [Theory]
    [InlineData(OnnxMemoryMode.Resident)]
    [InlineData(OnnxMemoryMode.IdleClosed)]
    public async Task EnginesAtOnce_DrawTheirOwnPictures(OnnxMemoryMode mode)
    {
        OnnxGeneration backend = new() { Runtime = new OnnxRuntimeOptions { Memory = mode, Threads = 1 } };
        DsdGeneratorOptions options = Generator with { ReleaseFolder = OwnFixtures.TinyDsd, Backend = backend, BatchSize = 1 };
        IDataView references = SampleInput.Of(_ml, "references");
        using DsdGeneratorTransformer fitted = new DsdGenerator(_ml, options).Fit(references);
        byte[][] expected = Pixels(fitted.Transform(references));
        Assert.False(expected[0].SequenceEqual(expected[1]));

        byte[][][] drawn = await Task.WhenAll(Enumerable.Range(0, 3).Select(first => Task.Run(() =>
        {
            using PredictionEngine<ReferenceRow, GeneratedRow> engine = _ml.Model.CreatePredictionEngine<ReferenceRow, GeneratedRow>(
                fitted, new PredictionEngineOptions { OwnsTransformer = false });
            ReferenceRow[] rows = [.. _ml.Data.CreateEnumerable<ReferenceRow>(references, reuseRowObject: false)];
            byte[][] pictures = new byte[rows.Length][];
            for (int i = 0; i < rows.Length; i++)
            {
                int row = (first + i) % rows.Length;
                pictures[row] = engine.Predict(rows[row]).Generated!.Pixels.ToArray();
            }
            return pictures;
        })));

        Assert.All(drawn, pictures => Assert.Equal(expected, pictures));
    }

    [Fact]
    public void Fit_SaysThatAPlainModelNeedsAnAdapter()
    {
        IDataView references = SampleInput.Of(_ml, "references");
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => new DsdGenerator(_ml, Generator).Fit(references));
        Assert.Contains("takes no reference picture", e.Message);
    }

    [Fact]
    public void Torch_DrawsWhatTheExportedModelDraws_AndIsSavedAndLoaded()
    {
        using TemporaryFolder folder = new();
        IDataView pairs = SampleInput.Of(_ml, "pairs");
        LoraFineTunerTransformer tuned = new LoraFineTuner(_ml, Tuner).Fit(pairs);
        string lora = folder.File("adapter.safetensors");
        tuned.Adapter.Save(lora);
        IDataView references = SampleInput.Of(_ml, "references");
        using DsdGeneratorTransformer onnx = new DsdGenerator(_ml, Generator with { LoraFile = lora }).Fit(references);
        using DsdGeneratorTransformer torch = new DsdGenerator(_ml, Generator with { LoraFile = lora, Backend = new TorchGeneration() }).Fit(references);
        using DsdGeneratorTransformer listed = new DsdGenerator(_ml, Generator with { Backend = Listed(new LoraUse(lora)) }).Fit(references);
        using DsdGeneratorTransformer weak = new DsdGenerator(_ml, Generator with { Backend = Listed(new LoraUse(lora, -4)) }).Fit(references);

        byte[][] expected = Pixels(onnx.Transform(references));
        byte[][] drawn = Pixels(torch.Transform(references));

        Assert.Equal(expected.Length, drawn.Length);
        Assert.All(expected.Zip(drawn), pair => Assert.True(pair.First.Zip(pair.Second).Max(p => Math.Abs(p.First - p.Second)) <= 2));
        Assert.Equal(drawn, Pixels(listed.Transform(references)));
        Assert.NotEqual(drawn, Pixels(weak.Transform(references)));
        _ml.Model.Save(weak, references.Schema, folder.File("weak.zip"));
        ITransformer loaded = new MLContext().Model.Load(folder.File("weak.zip"), out _);
        Assert.Equal(Pixels(weak.Transform(references)), Pixels(loaded.Transform(references)));
        ((IDisposable)loaded).Dispose();
    }

    [Fact]
    public void Torch_OptionsThatOnlyOneEngineHas_AreRefusedByTheOther()
    {
        IDataView references = SampleInput.Of(_ml, "references");
        string Message(DsdGeneratorOptions options) => Assert.Throws<ArgumentException>(() => new DsdGenerator(_ml, options).Fit(references)).Message;
        Assert.Contains("BlockCache", Message(Generator with { Sampling = new DsdOptions { Width = 32, Height = 32, BlockCache = 0.1f } }));
        TorchGeneration streamed = new() { Pipeline = new PipelineOptions { Memory = MemoryMode.Streamed, Loras = [new LoraUse("x")] } };
        Assert.Contains("Memory is Streamed", Message(Generator with { Backend = streamed }));
        using LoraAdapter inMemory = LoraAdapter.Load(Dsd.Tiny.TinyModel.AdapterFile);
        Assert.Contains("in memory", Assert.Throws<ArgumentException>(() => Listed(new LoraUse(inMemory))).Message);
        PipelineOptions WithIntegers() => new() { DType = TorchSharp.torch.ScalarType.Int64 };
        Assert.Contains("DType must be", Assert.Throws<ArgumentOutOfRangeException>(WithIntegers).Message);
        DsdGenerator plain = new(_ml, Generator with { Backend = new TorchGeneration() });
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => plain.Fit(references));
        Assert.Contains("takes no reference picture", e.Message);
    }

    [Fact]
    public void Grids_AreDrawnInTheTypeThatWasAsked()
    {
        IDataView captions = Views.Captions(_ml, "a fox");
        using GridGeneratorTransformer plain = new GridGenerator(_ml, Teacher).Fit(captions);
        string[] expected = Views.Column(plain.Transform(captions), "Grid");
        PipelineOptions float16 = new() { DType = TorchSharp.torch.ScalarType.Float16 };
        using GridGeneratorTransformer half = new GridGenerator(_ml, Teacher with { Torch = float16 }).Fit(captions);
        Assert.NotEqual(expected, Views.Column(half.Transform(captions), "Grid"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnotherBatch_ChangesPicturesByRoundingAlone(bool torch)
    {
        IDataView references = SampleInput.Of(_ml, "references");
        DsdGeneratorOptions options = Generator with { ReleaseFolder = OwnFixtures.TinyDsd, Backend = torch ? new TorchGeneration() : new OnnxGeneration() };
        using DsdGeneratorTransformer alone = new DsdGenerator(_ml, options with { BatchSize = 1 }).Fit(references);
        using DsdGeneratorTransformer together = new DsdGenerator(_ml, options with { BatchSize = 3 }).Fit(references);
        Assert.All(
            Pixels(alone.Transform(references)).Zip(Pixels(together.Transform(references))),
            pair => Assert.True(pair.First.Zip(pair.Second).Max(p => Math.Abs(p.First - p.Second)) <= 2));
    }

    [Fact]
    public void Torch_DeviceAndWarningsAreTheStages()
    {
        PipelineOptions device = new() { Device = new TorchSharp.torch.Device(TorchSharp.DeviceType.CPU) };
        Assert.Contains("option Device of the stage", Assert.Throws<ArgumentException>(() => new TorchGeneration { Pipeline = device }).Message);
        PipelineOptions warned = new() { Warn = _ => { } };
        Assert.Contains("MLContext.Log", Assert.Throws<ArgumentException>(() => new GridGeneratorOptions { Torch = warned }).Message);
        Assert.Contains("VaeFile", Assert.Throws<ArgumentException>(() => new TorchGeneration { Pipeline = new PipelineOptions { VaeFile = " " } }).Message);
    }

    private static TorchGeneration Listed(LoraUse lora) => new() { Pipeline = new PipelineOptions { Loras = [lora] } };

    private static byte[][] Pixels(IDataView view)
    {
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<MLImage> getter = cursor.GetGetter<MLImage>(view.Schema["Generated"]);
        List<byte[]> pictures = [];
        while (cursor.MoveNext())
        {
            MLImage image = null!;
            getter(ref image);
            pictures.Add(image.Pixels.ToArray());
            image.Dispose();
        }
        return [.. pictures];
    }

    private static GridGeneratorOptions Teacher => new()
    {
        Model = OwnFixtures.TinyFlux,
        Layout = GridLayout.OneByTwo,
        Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1, MaxTextTokens = 64 },
    };

    private static LoraFineTunerOptions Tuner => new()
    {
        Model = OwnFixtures.TinyFlux,
        Training = new LoraTrainingOptions { Width = 32, Height = 32, Steps = 2, LearningRate = 1e-2, MaxTextTokens = 64 },
    };

    private static DsdGeneratorOptions Generator => new()
    {
        Model = OwnFixtures.TinyFlux,
        Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1, MaxTextTokens = 64 },
    };

    private EstimatorChain<DsdGeneratorTransformer> Chain() =>
        new GridGenerator(_ml, Teacher)
            .Append(new VlmCurator(_ml, new VlmCuratorOptions { Judge = SampleClient.Name }))
            .Append(new LoraFineTuner(_ml, Tuner))
            .Append(new DsdGenerator(_ml, Generator));
}
