using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;

namespace Dsd.MLNet.Tests.Generation;

public sealed class DsdGeneratorTests
{
    private static readonly DsdGeneratorOptions Small = new()
    {
        Model = "a folder that the painting backend never opens",
        Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1 },
        BatchSize = 2,
    };

    private readonly MLContext _ml = new(1);
    private readonly PaintedModels _models = new();

    [Fact]
    public void Fit_ExportsAndReadsNoRow()
    {
        IDataView references = Views.References(_ml, 2);
        using DsdGeneratorTransformer fitted = Fit(Small, new NoRows(references));
        Assert.Single(_models.Exports);
        Assert.Empty(_models.Opened);
    }

    [Fact]
    public void Transform_DrawsABatchAtATime()
    {
        using DsdGeneratorTransformer fitted = Fit(Small, Views.References(_ml, 3));
        Views.Column(fitted.Transform(Views.References(_ml, 3)), "Generated");
        Assert.Equal([2, 1], Assert.Single(_models.Opened).Batches.Select(b => b.Count));
    }

    [Fact]
    public void Transform_WithAnEnhancer_DrawsItsPrompts_FromTheSameNoise()
    {
        RecordingClient client = new(_ => """{"prompt": "a red fox"}""");
        ChatClients.Register("enhancer-tests", () => client);
        IDataView references = Views.References(_ml, 3);
        using DsdGeneratorTransformer plain = Fit(Small, references);
        using DsdGeneratorTransformer fitted = Fit(Small with { Enhancer = "enhancer-tests" }, references);
        Views.Column(plain.Transform(references), "Generated");
        Views.Column(fitted.Transform(references), "Generated");

        DsdRequest[] asked = [.. _models.Opened[0].Batches.SelectMany(b => b)];
        DsdRequest[] drawn = [.. _models.Opened[1].Batches.SelectMany(b => b)];
        Assert.All(drawn, r => Assert.Equal("a red fox", r.Prompt));
        Assert.Equal(asked.Select(r => r.Seed), drawn.Select(r => r.Seed));
        Assert.Equal(3, client.Questions.Count);
        Assert.All(asked, r => Assert.Contains(client.Questions, q => q.Contains(r.Prompt, StringComparison.Ordinal)));
    }

    [Fact]
    public void Transform_WhenTheEnhancerFails_DrawsThePromptAsItIs_AndWarns()
    {
        ChatClients.Register("no-enhancer", () => new RecordingClient(_ => throw new HttpRequestException("nobody there")));
        List<string> log = [];
        _ml.Log += (_, e) => log.Add(e.Message);
        IDataView references = Views.References(_ml, 1);
        using DsdGeneratorTransformer plain = Fit(Small, references);
        using DsdGeneratorTransformer fitted = Fit(Small with { Enhancer = "no-enhancer" }, references);

        Assert.Equal(Views.Column(plain.Transform(references), "Generated"), Views.Column(fitted.Transform(references), "Generated"));
        Assert.Contains(log, line => line.Contains("The prompt stays as it is", StringComparison.Ordinal) && line.Contains("nobody there"));
    }

    [Fact]
    public void Fit_WithAnEnhancerThatNobodyKnows_SaysSo() => Assert.Contains(
        "'nobody'", Assert.Throws<InvalidOperationException>(() => Fit(Small with { Enhancer = "nobody" }, Views.References(_ml, 1))).Message);

    [Fact]
    public void Transform_GivesTheSamePicturesWhateverTheBatch()
    {
        IDataView references = Views.References(_ml, 5);
        using DsdGeneratorTransformer one = Fit(Small with { BatchSize = 1 }, references);
        using DsdGeneratorTransformer three = Fit(Small with { BatchSize = 3 }, references);
        Assert.Equal(Views.Column(one.Transform(references), "Generated"), Views.Column(three.Transform(references), "Generated"));
    }

    [Fact]
    public void Transform_PassesImagesThroughUnchangedWhileReadingAhead()
    {
        IDataView references = Views.References(_ml, 5);
        using DsdGeneratorTransformer fitted = Fit(Small with { BatchSize = 3 }, references);
        IDataView view = fitted.Transform(references);
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        Func<string> reference = Views.Reader(cursor, view.Schema["Reference"]);
        Func<string> generated = Views.Reader(cursor, view.Schema["Generated"]);
        List<string> seen = [];
        while (cursor.MoveNext())
        {
            generated();
            seen.Add(reference());
        }
        Assert.Equal(Views.Column(references, "Reference"), seen);
    }

    [Fact]
    public void Fit_TakesTheAdapterFromTheSchema()
    {
        IDataView pairs = Views.Pairs(_ml, true);
        LoraFineTunerTransformer tuned = new LoraFineTuner(_ml, null, new PaintedModels { Training = _ => new LoraWeights([7]) }).Fit(pairs);
        using DsdGeneratorTransformer fitted = Fit(Small, tuned.Transform(pairs));
        Assert.Same(tuned.Adapter, fitted.Adapter);
        Assert.Equal($"lora-{tuned.Adapter.Fingerprint}.safetensors", _models.MergedLora(_models.Exports[0]));
    }

    [Fact]
    public void Fit_TakesTheAdapterAtHand()
    {
        LoraWeights adapter = new([7]);
        DsdGeneratorTransformer With(DsdGeneratorOptions options, IDataView input) => new DsdGenerator(_ml, options, _models, adapter).Fit(input);
        using DsdGeneratorTransformer fitted = With(Small with { ReleaseFolder = "release" }, Views.References(_ml, 1));
        Assert.Same(adapter, fitted.Adapter);
        Assert.Equal(adapter.ExportName, _models.MergedLora(_models.Exports[0]));

        IDataView pairs = Views.Pairs(_ml, true);
        IDataView tuned = new LoraFineTuner(_ml, null, new PaintedModels { Training = _ => new LoraWeights([8]) }).Fit(pairs).Transform(pairs);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => With(Small, tuned));
        Assert.Contains("input's column 'Adapter' brings one too", e.Message);
        using DsdGeneratorTransformer asked = With(Small with { AdapterColumn = null }, tuned);
        Assert.Same(adapter, asked.Adapter);
        e = Assert.Throws<InvalidOperationException>(() => With(Small with { LoraFile = "some.safetensors" }, Views.References(_ml, 1)));
        Assert.Contains("'some.safetensors') and the adapter that is at hand both give an adapter. Leave the option out.", e.Message);
        Assert.Throws<ArgumentNullException>(() => new DsdGenerator(_ml, null, (LoraWeights)null!));
    }

    [Fact]
    public void Fit_KeepsTheAlphaThatPeftWritesBesideALoraFile()
    {
        using TemporaryFolder folder = new();
        string file = folder.File("adapter_model.safetensors");
        using (torch.Tensor factor = torch.ones(4, 4))
        {
            const string Module = "base_model.model.proj_out";
            SafetensorsWriter.Write(file, new Dictionary<string, torch.Tensor> { [$"{Module}.lora_A.weight"] = factor, [$"{Module}.lora_B.weight"] = factor });
        }
        File.WriteAllText(folder.File("adapter_config.json"), """{ "peft_type": "LORA", "r": 4, "lora_alpha": 40 }""");
        using DsdGeneratorTransformer fitted = Fit(Small with { LoraFile = file }, Views.References(_ml, 1));
        fitted.Adapter!.Save(folder.File("taken.safetensors"));
        using LoraAdapter taken = LoraAdapter.Load(folder.File("taken.safetensors"));
        Assert.Equal(40, taken.Factors["proj_out"].Alpha);
    }

    [Fact]
    public void Fit_RefusesALoraFileThatIsNone_ByItsOwnName()
    {
        using TemporaryFolder folder = new();
        string file = folder.File("mine.safetensors");
        using (torch.Tensor factor = torch.full([4, 4], float.NaN))
        {
            SafetensorsWriter.Write(file, new Dictionary<string, torch.Tensor> { ["proj_out.lora_A.weight"] = factor, ["proj_out.lora_B.weight"] = factor });
        }
        Assert.Contains(file, Assert.Throws<SafetensorsException>(() => Fit(Small with { LoraFile = file }, Views.References(_ml, 1))).Message);
        DsdGeneratorOptions about = Small with { LoraTextEncoders = LoraTextEncoders.Apply };
        Assert.Contains("LoraFile", Assert.Throws<ArgumentException>(() => Fit(about, Views.References(_ml, 1))).Message);
    }

    [Fact]
    public void Fit_RefusesTwoAdapters()
    {
        IDataView pairs = Views.Pairs(_ml, true);
        IDataView tuned = new LoraFineTuner(_ml, null, new PaintedModels { Training = _ => new LoraWeights([7]) }).Fit(pairs).Transform(pairs);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => Fit(Small with { LoraFile = "some.safetensors" }, tuned));
        Assert.Contains("both give an adapter", e.Message);
    }

    [Fact]
    public void Dispose_ClosesTheModelAndRemovesTheTemporaryExport()
    {
        DsdGeneratorTransformer fitted = Fit(Small, Views.References(_ml, 1));
        Views.Column(fitted.Transform(Views.References(_ml, 1)), "Generated");
        fitted.Dispose();
        Assert.True(_models.Opened[0].Disposed);
        Assert.False(Directory.Exists(_models.Exports[0]));
    }

    [Fact]
    public void Dispose_LeavesAnExportFolderThatWasAskedFor()
    {
        using TemporaryFolder folder = new();
        string models = Path.Combine(folder.Path, "onnx");
        Fit(Small with { Backend = new OnnxGeneration { Folder = models } }, Views.References(_ml, 1)).Dispose();
        Assert.True(Directory.Exists(models));
    }

    [Fact]
    public void Transform_SaysSoAfterDispose()
    {
        IDataView references = Views.References(_ml, 1);
        DsdGeneratorTransformer fitted = Fit(Small, references);
        IDataView view = fitted.Transform(references);
        fitted.Dispose();
        Assert.Contains("DsdGenerator was disposed", Assert.Throws<ObjectDisposedException>(() => Views.Column(view, "Generated")).Message);
        Assert.Empty(_models.Opened);
    }

    [Fact]
    public void Transform_NamesTheRowOfATinyReference()
    {
        IDataView references = Views.References(_ml, 1, side: 1);
        using DsdGeneratorTransformer fitted = Fit(Small, references);
        DsdRowException e = Assert.Throws<DsdRowException>(() => Views.Column(fitted.Transform(references), "Generated"));
        Assert.Equal((0, "Reference"), (e.Row, e.Column));
    }

    [Fact]
    public void Transform_NamesTheRowAtWhichItWasCancelled()
    {
        using CancellationTokenSource source = new();
        IDataView references = Views.References(_ml, 1);
        using DsdGeneratorTransformer fitted = Fit(Small with { CancellationToken = source.Token }, references);
        source.Cancel();
        DsdRowCanceledException e = Assert.Throws<DsdRowCanceledException>(() => Views.Column(fitted.Transform(references), "Generated"));
        Assert.Equal((0, "Generated"), (e.Row, e.Column));
    }

    [Fact]
    public void Fit_LeavesNothingWhenCancelled()
    {
        using CancellationTokenSource source = new();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Fit(Small with { CancellationToken = source.Token }, Views.References(_ml, 1)));
        Assert.Empty(_models.Exports);
    }

    [Fact]
    public void PredictionEngine_DrawsOnePictureAtATime()
    {
        IDataView references = Views.References(_ml, 2);
        DsdGeneratorTransformer fitted = Fit(Small, references);
        string[] expected = Views.Column(fitted.Transform(references), "Generated");
        using PredictionEngine<ReferenceRow, GeneratedRow> engine = _ml.Model.CreatePredictionEngine<ReferenceRow, GeneratedRow>(fitted);
        for (int i = 0; i < 2; i++)
        {
            using MLImage generated = engine.Predict(new ReferenceRow { Reference = Views.Image(i), Prompt = $"prompt {i}" }).Generated!;
            string hash = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(generated.Pixels));
            Assert.Equal(expected[i], $"{generated.Width}x{generated.Height}:{hash}");
        }
    }

    private DsdGeneratorTransformer Fit(DsdGeneratorOptions options, IDataView input) => new DsdGenerator(_ml, options, _models).Fit(input);

    /// <summary>A view that fails when a row is asked for.</summary>
    private sealed class NoRows(IDataView source) : IDataView
    {
        public bool CanShuffle => false;

        public DataViewSchema Schema => source.Schema;

        public long? GetRowCount() => null;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
            throw new InvalidOperationException("A row was asked for.");

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            throw new InvalidOperationException("A row was asked for.");
    }
}
