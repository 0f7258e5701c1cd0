using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>What can be known before a row is read is told by <c>GetOutputSchema</c>, which <c>EstimatorChain.Fit</c> calls for all stages first.</summary>
public sealed class EarlyCheckTests : IDisposable
{
    private readonly MLContext _ml = new(1);
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void GridGenerator_ChecksItsModelDeviceAndOptions()
    {
        TextToImageOptions sampling = new() { Width = 64, Height = 32, MaxTextTokens = 64 };
        GridGeneratorOptions good = new() { Model = OwnFixtures.TinyFlux, Layout = GridLayout.OneByTwo, Sampling = sampling };
        void Refused<T>(string said, GridGeneratorOptions options)
            where T : Exception => AssertRefused<T>(said, "captions", new GridGenerator(_ml, options));
        new GridGenerator(_ml, good).GetOutputSchema(Shape("captions"));
        Refused<DirectoryNotFoundException>("'no such folder'", good with { Model = "no such folder" });
        Refused<WeightsException>("model_index.json", good with { Model = _folder.Path });
        Refused<IOException>("no.safetensors", good with { Torch = new PipelineOptions { TransformerFile = _folder.File("no.safetensors") } });
        Refused<IOException>("no.safetensors", good with { Torch = new PipelineOptions { VaeFile = _folder.File("no.safetensors") } });
        Refused<IOException>("no.safetensors", good with { Torch = new PipelineOptions { Loras = [new LoraUse(_folder.File("no.safetensors"))] } });
        Refused<ArgumentException>("Memory", good with { Torch = new PipelineOptions { Memory = MemoryMode.Streamed } });
        Refused<InvalidOperationException>("'nobody'", good with { PromptClient = "nobody" });
        if (!TorchSharp.torch.cuda.is_available())
        {
            Refused<ArgumentException>("CUDA", good with { Device = "cuda" });
        }
    }

    [Fact]
    public void VlmCurator_ChecksItsJudgeAndTheGrids()
    {
        VlmCuratorOptions good = new() { Layout = GridLayout.TwoByTwo };
        void Refused<T>(string said, VlmCuratorOptions options)
            where T : Exception => AssertRefused<T>(said, "grids", new VlmCurator(_ml, options));
        new VlmCurator(_ml, good).GetOutputSchema(Shape("grids"));
        Refused<InvalidOperationException>("'nobody'", good with { Judge = "nobody" });
        Refused<InvalidOperationException>("Layout", good with { Layout = null });
        Refused<IOException>("no.txt", good with { Judging = new PairJudgeOptions { InstructionsFile = _folder.File("no.txt") } });
        Refused<ArgumentException>("InstructionsFile", good with { Judging = new PairJudgeOptions { InstructionsFile = "a.txt", Instructions = "b" } });
        Refused<ArgumentException>("too small", good with { Layout = new GridLayout(5, 1) });
    }

    [Fact]
    public void LoraFineTuner_ChecksItsModelAndWhereItStarts()
    {
        LoraTrainingOptions training = new() { Width = 32, Height = 32, Steps = 2, MaxTextTokens = 64 };
        LoraFineTunerOptions good = new() { Model = OwnFixtures.TinyFlux, Training = training };
        void Refused<T>(string said, LoraFineTunerOptions options)
            where T : Exception => AssertRefused<T>(said, "pairs", new LoraFineTuner(_ml, options));
        new LoraFineTuner(_ml, good).GetOutputSchema(Shape("pairs"));
        Refused<DirectoryNotFoundException>("'no such folder'", good with { Model = "no such folder" });
        Refused<IOException>("no.safetensors", good with { Training = training with { InitialAdapterFile = _folder.File("no.safetensors") } });
        Refused<ArgumentException>("attn.to_x", good with { Training = training with { Adapter = new LoraOptions { Targets = ["attn.to_q", "attn.to_x"] } } });
        Refused<ArgumentException>("Resolutions", good with { Training = training with { Resolutions = [64] } });
        File.WriteAllText(_folder.File("file"), "");
        Refused<IOException>("state", good with { Training = training with { CheckpointFolder = Path.Combine(_folder.File("file"), "state") } });
        Refused<IOException>("cache", good with { Training = training with { CacheFolder = Path.Combine(_folder.File("file"), "cache") } });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DsdGenerator_ChecksItsModelAdapterAndFolders(bool torch)
    {
        DsdGeneratorOptions good = new()
        {
            Model = OwnFixtures.TinyFlux,
            ReleaseFolder = OwnFixtures.TinyDsd,
            Backend = torch ? new TorchGeneration() : new OnnxGeneration(),
            Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1, MaxTextTokens = 64 },
        };
        void Refused<T>(string said, DsdGeneratorOptions options)
            where T : Exception => AssertRefused<T>(said, "references", new DsdGenerator(_ml, options));
        new DsdGenerator(_ml, good).GetOutputSchema(Shape("references"));
        Refused<DirectoryNotFoundException>("'no such folder'", good with { Model = "no such folder" });
        string lora = Path.Combine(OwnFixtures.TinyDsd, "pytorch_lora_weights.safetensors");
        Refused<DirectoryNotFoundException>("no release", good with { ReleaseFolder = _folder.File("no release"), LoraFile = lora });
        Refused<IOException>("no.safetensors", good with { LoraFile = _folder.File("no.safetensors") });
        Refused<WeightsException>("adapter", good with { LoraFile = Path.Combine(OwnFixtures.TinyFlux, "vae", "diffusion_pytorch_model.safetensors") });
        Refused<WeightsException>("pytorch_lora_weights.safetensors", good with { LoraFile = Dsd.Tiny.TinyModel.AdapterFile });
        Refused<InvalidOperationException>("takes no reference picture", good with { ReleaseFolder = null });
        Refused<ArgumentException>("BlockCache", good with { Sampling = good.Sampling! with { BlockCache = 0.1f } });
        if (torch)
        {
            Refused<ArgumentException>("Option Device", good with { Device = "cuda,cpu" });
            return;
        }
        File.WriteAllText(_folder.File("notes.txt"), "");
        Refused<IOException>("other files", good with { Backend = new OnnxGeneration { Folder = _folder.Path } });
        Refused<IOException>("notes.txt", good with { Backend = new OnnxGeneration { Folder = Path.Combine(_folder.File("notes.txt"), "onnx") } });
        Refused<NotSupportedException>("CUDA", good with { Device = "cuda" });
        Refused<NotSupportedException>("Core ML", good with { Device = "coreml" });
        Refused<ArgumentException>("AllowTf32", good with { Backend = new OnnxGeneration { Runtime = new OnnxRuntimeOptions { AllowTf32 = true } } });
    }

    [Fact]
    public void Checking_LeavesNothingBehind()
    {
        DsdGeneratorOptions options = new()
        {
            Model = OwnFixtures.TinyFlux,
            ReleaseFolder = OwnFixtures.TinyDsd,
            Backend = new OnnxGeneration { Folder = Path.Combine(_folder.File("new"), "onnx") },
            Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1, MaxTextTokens = 64 },
        };
        new DsdGenerator(_ml, options).GetOutputSchema(Shape("references"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void ABadAdapter_IsNamedByTheUsersOwnFile()
    {
        string lora = _folder.File("mine.safetensors");
        File.Copy(Path.Combine(OwnFixtures.TinyDsd, "pytorch_lora_weights.safetensors"), lora);
        DamagedSafetensors.Damage(lora, "missing tensor");
        foreach (GeneratorBackend backend in new GeneratorBackend[] { new OnnxGeneration(), new TorchGeneration() })
        {
            DsdOptions sampling = new() { Width = 32, Height = 32, Steps = 1 };
            DsdGeneratorOptions options = new() { Model = OwnFixtures.TinyFlux, LoraFile = lora, Backend = backend, Sampling = sampling };
            Exception e = Assert.ThrowsAny<WeightsException>(() => new DsdGenerator(_ml, options).Fit(SampleInput.Of(_ml, "references")));
            Assert.Contains(lora, e.Message);
        }
        // An adapter that only the export finds fault with is kept in memory by then.
        LoraWeights broken = new(File.ReadAllBytes(lora), "the adapter in the saved model");
        string said = Assert.ThrowsAny<WeightsException>(() => broken.Open()).Message;
        Assert.Contains("'the adapter in the saved model'", said);
        Assert.DoesNotContain("dsd-lora", said);
    }

    // PEFT writes alpha into adapter_config.json beside adapter_model.safetensors (peft 0.17, save_pretrained): it must not be lost when the file is
    // taken along.
    [Fact]
    public void AnAdapterOfPeft_KeepsTheConfigBesideIt()
    {
        string plain = Path.Combine(OwnFixtures.TinyDsd, "pytorch_lora_weights.safetensors");
        using LoraAdapter without = LoraAdapter.Load(plain);
        string peft = _folder.File("adapter_model.safetensors");
        WriteWithoutMetadata(without, peft);
        int rank = without.Factors.Values.First().Rank;
        File.WriteAllText(_folder.File("adapter_config.json"), $$"""{"peft_type":"LORA","r":{{rank}},"lora_alpha":{{3 * rank}}}""");
        LoraWeights kept = LoraWeights.Load(peft);
        string copy = _folder.File("copy.safetensors");
        kept.Save(copy);
        using LoraAdapter read = LoraAdapter.Load(copy);
        Assert.All(read.Factors.Values, f => Assert.Equal(3 * f.Rank, f.Alpha));
    }

    [Fact]
    public void PromptClient_IsDisposedWithTheStageAndNotMadeAfterwards()
    {
        List<SceneClient> made = [];
        ChatClients.Register("scenes", () =>
        {
            made.Add(new SceneClient());
            return made[^1];
        });
        TextToImageOptions sampling = new() { Width = 64, Height = 32, Steps = 1 };
        GridGeneratorOptions options = new() { Layout = GridLayout.OneByTwo, Sampling = sampling, PromptClient = "scenes", Templates = GridTemplates.Default };
        IDataView captions = Views.Captions(_ml, "a fox", "a cat");
        GridGeneratorTransformer fitted = new GridGenerator(_ml, options, new PaintedModels()).Fit(captions);
        Assert.Empty(made);
        IDataView view = fitted.Transform(captions);
        Views.Column(view, "GridPrompt");
        fitted.Dispose();
        Assert.True(Assert.Single(made).Disposed);
        Assert.Throws<ObjectDisposedException>(() => Views.Column(view, "GridPrompt"));
        Assert.Throws<ObjectDisposedException>(() => Views.Column(view, "Grid"));
        Assert.Single(made);
    }

    public void Dispose() => _folder.Dispose();

    private static void WriteWithoutMetadata(LoraAdapter adapter, string path) => SafetensorsWriter.Write(
        path,
        adapter.Factors
            .SelectMany(f => new[] { ($"base_model.model.{f.Key}.lora_A.weight", f.Value.A), ($"base_model.model.{f.Key}.lora_B.weight", f.Value.B) })
            .ToDictionary(t => t.Item1, t => t.Item2),
        new Dictionary<string, string>());

    private SchemaShape Shape(string kind) => ColumnCheck.ShapeOf(SampleInput.Of(_ml, kind).Schema);

    private void AssertRefused<T>(string said, string kind, IEstimator<ITransformer> estimator)
        where T : Exception
    {
        Assert.Contains(said, Assert.ThrowsAny<T>(() => estimator.GetOutputSchema(Shape(kind))).Message);
        Assert.Contains(said, Assert.ThrowsAny<T>(() => estimator.Fit(SampleInput.Of(_ml, kind))).Message);
    }
}
