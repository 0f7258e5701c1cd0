using Dsd.Curation.Grids;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
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
    public void Fit_TurnsCaptionsIntoPictures()
    {
        IDataView captions = Views.Captions(_ml, "a fox");
        using TransformerChain<DsdGeneratorTransformer> fitted = Chain().Fit(captions);
        GeneratedRow[] rows = [.. _ml.Data.CreateEnumerable<GeneratedRow>(fitted.Transform(captions), reuseRowObject: false)];
        Assert.Equal([(32, 32), (32, 32)], rows.Select(r => (r.Generated!.Width, r.Generated.Height)));
    }

    [Fact]
    public void Load_GivesTheSamePicturesAsTheFittedChain()
    {
        using TemporaryFolder folder = new();
        IDataView captions = Views.Captions(_ml, "a fox");
        using TransformerChain<DsdGeneratorTransformer> fitted = Chain().Fit(captions);
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
    public void Fit_SaysThatAPlainModelNeedsAnAdapter()
    {
        IDataView references = SampleInput.Of(_ml, "references");
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => new DsdGenerator(_ml, Generator).Fit(references));
        Assert.Contains("takes no reference picture", e.Message);
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
