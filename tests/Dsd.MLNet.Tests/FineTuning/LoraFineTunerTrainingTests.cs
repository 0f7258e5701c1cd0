using System.Globalization;
using System.Text.RegularExpressions;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using TorchSharp;

namespace Dsd.MLNet.Tests.FineTuning;

/// <summary>The fine-tuner with a real network of random weights.</summary>
public sealed partial class LoraFineTunerTrainingTests : IDisposable
{
    private static readonly LoraTrainingOptions Training = new()
    {
        Width = 32,
        Height = 32,
        Steps = 4,
        LearningRate = 1e-2,
        MaxTextTokens = 64,
        ReportEvery = 1,
        Seed = 0,
    };

    // What the trainer itself makes of the rows that are kept, once for all tests.
    private static readonly Lazy<byte[]> Trained = new(() => TrainedBy(Training, Pairs(0, 2)));

    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _ml = new(1);
    private readonly List<(ChannelMessageKind Kind, string Text)> _log = [];
    private readonly List<TrainingProgress> _reports = [];

    public LoraFineTunerTrainingTests() => _ml.Log += (_, e) =>
    {
        if (e.Source.EndsWith(nameof(LoraFineTuner), StringComparison.Ordinal) && e.Kind is ChannelMessageKind.Info or ChannelMessageKind.Warning)
        {
            _log.Add((e.Kind, e.RawMessage));
        }
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Fit_GivesTheBitsOfTheTrainerOnTheSamePairs()
    {
        Assert.Equal(Trained.Value, Fit(Options()).File);
        // Nobody listens but the log.
        Assert.Equal(4, _log.Count(line => line.Text.StartsWith("Training: step ")));
    }

    [Fact]
    public void Fit_LeavesHeldOutRowsOut_AndTellsTheirLoss()
    {
        LoraTrainingOptions training = Training with { ValidateEvery = 2 };
        List<TrainingProgress> expected = [];

        byte[] adapter = Fit(Options() with { Training = training, KeptColumn = null, HeldOutColumn = "Kept", Progress = Told(_reports) }).File;

        // Of the sample's three rows the middle one is false.
        Assert.Equal(TrainedBy(training, Pairs(1), Pairs(0, 2), Told(expected)), adapter);
        Assert.Equal([false, true, false, true], _reports.Select(r => r.ValidationLoss is not null));
        Assert.Equal(expected.Select(r => (r.Loss, r.ValidationLoss)), _reports.Select(r => (r.Loss, r.ValidationLoss)));
        Assert.Contains(_log, line => line.Text.StartsWith($"Training a LoRA of '{OwnFixtures.TinyFlux}' on 1 pairs, 2 more held out, on cpu, whole: "));
        Assert.Contains(_log, line => line.Text.Contains(FormattableString.Invariant($"held-out {_reports[3].ValidationLoss:0.0000}")));
    }

    [Fact]
    public void Fit_RefusesAHeldOutColumnThatIsNotThere()
    {
        ArgumentOutOfRangeException e = Assert.Throws<ArgumentOutOfRangeException>(() => Fit(Options() with { HeldOutColumn = "Test" }));
        Assert.StartsWith("Could not find held-out column 'Test'", e.Message);
        e = Assert.Throws<ArgumentOutOfRangeException>(() => Fit(Options() with { HeldOutColumn = "Prompt" }));
        Assert.StartsWith("Schema mismatch for held-out column 'Prompt': expected Boolean, got String", e.Message);
    }

    [Fact]
    public void Log_HasThePlanEachReportAndWhatItTook()
    {
        Fit(Options() with { Progress = Told(_reports) });

        Assert.All(_log, line => Assert.Equal(ChannelMessageKind.Info, line.Kind));
        Assert.Matches(@"^Read 3 rows in \d+\.\d s: 2 to train on, 0 held out, 1 not kept\.$", _log[0].Text);
        Match plan = Plan().Match(_log[1].Text);
        Assert.True(plan.Success, _log[1].Text);
        for (int step = 1; step <= 4; step++)
        {
            string loss = _reports[step - 1].Loss.ToString("0.0000", CultureInfo.InvariantCulture);
            Assert.Matches(
                $@"^Training: step {step} of 4, loss {Regex.Escape(loss)}, \d+\.\d\d steps/s, \d+\.\d GiB, [^,]+ left\.$", _log[step + 1].Text);
        }
        // Two canvases, two conditions, two prompts and the empty one.
        Assert.Equal("Of what text encoders and autoencoder give, 7 entries were made, and 0 were in the cache's folder.", _log[6].Text);
        Assert.Matches(@"^Trained in \d+\.\d s, the model's loading with it\.$", _log[7].Text);
        Assert.Matches(
            $@"^Memory in setting whole: predicted {Regex.Escape(plan.Groups["gib"].Value)}, measured \d+\.\d GiB, of which \d+\.\d GiB before the model was "
                + @"loaded\.$",
            _log[8].Text);
        Assert.Equal(9, _log.Count);
    }

    [Fact]
    public void Fit_OfAFinishedRun_TrainsNothing()
    {
        LoraTrainingOptions kept = Training with { CheckpointFolder = _folder.File("state"), CacheFolder = _folder.File("cache") };
        LoraFineTunerOptions options = Options() with { Training = kept };
        byte[] first = Fit(options).File;
        _log.Clear();

        byte[] second = Fit(options with { Progress = Told(_reports) }).File;

        Assert.Equal(first, second);
        Assert.Empty(_reports);
        Assert.Contains(_log, line => line.Text.Contains("0 entries were made, and 7 were in the cache's folder"));
        Assert.Contains(_log, line => line.Text == "Nothing was left to train: the checkpoint is that of the finished run.");
    }

    [Fact]
    public void Fit_GoesOnWhereItWasCancelled()
    {
        LoraFineTunerOptions options = Options() with { Training = Training with { CheckpointFolder = _folder.File("state") } };
        using CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() => Fit(options with
        {
            CancellationToken = stop.Token,
            Progress = new Reports(report =>
            {
                if (report.Step == 2)
                {
                    stop.Cancel();
                }
            }),
        }));
        _log.Clear();

        byte[] resumed = Fit(options with { Progress = Told(_reports) }).File;

        Assert.Equal(Trained.Value, resumed);
        Assert.Equal([3L, 4L], _reports.Select(r => r.Step));
        Assert.Contains(_log, line => line.Text == "Training goes on from step 2 of 4, as the checkpoint has it.");
    }

    [Fact]
    public void Fit_StopsWhenTheContextIsCancelled()
    {
        MLContext other = new(1);
        LoraFineTunerOptions endless = Options() with
        {
            Training = Training with { Steps = 1_000_000 },
            Progress = new Reports(report =>
            {
                if (report.Step == 1)
                {
                    Views.Cancel(other);
                }
            }),
        };
        Assert.ThrowsAny<OperationCanceledException>(() => new LoraFineTuner(other, endless).Fit(SampleInput.Of(other, "pairs")));
    }

    [Fact]
    public void Base_DecidesHowTheModelIsHeld()
    {
        string weights = Path.Combine(OwnFixtures.TinyFlux, "transformer", "diffusion_pytorch_model.safetensors");
        LoraFineTunerOptions With(TrainingBase held) => Options() with { Base = held };

        // Blocks that are run again add up in another order.
        AssertNear(Trained.Value, Fit(With(new TrainingBase { Setting = "recomputed" })).File);
        Assert.Contains(_log, line => line.Text.Contains(" on cpu, recomputed: "));
        Assert.NotEqual(Trained.Value, Fit(With(new TrainingBase { DType = torch.ScalarType.BFloat16 })).File);
        Assert.NotEqual(Trained.Value, Fit(With(new TrainingBase { TransformerFile = Changed(weights) })).File);
    }

    private static void AssertNear(byte[] expected, byte[] found)
    {
        using LoraAdapter one = new LoraWeights(expected).Open();
        using LoraAdapter two = new LoraWeights(found).Open();
        using DisposeScope scope = torch.NewDisposeScope();
        double Square(Func<LoraFactors, LoraFactors, torch.Tensor> of) =>
            one.Factors.Sum(f => (double)of(f.Value, two.Factors[f.Key]).square().sum().item<float>());
        // The factors B begin at zero, so they are what was learnt.
        double learnt = Square((a, _) => a.B);
        Assert.True(learnt > 0);
        Assert.InRange(Math.Sqrt(Square((a, b) => a.B - b.B) / learnt), 0, 0.02);
    }

    [Fact]
    public void Base_WhatDoesNotGoIsSaidBeforeARowIsRead()
    {
        void Refused<T>(string said, TrainingBase held)
            where T : Exception
        {
            LoraFineTuner tuner = new(_ml, Options() with { Base = held });
            IDataView pairs = SampleInput.Of(_ml, "pairs");
            Assert.Contains(said, Assert.ThrowsAny<T>(() => tuner.GetOutputSchema(ColumnCheck.ShapeOf(pairs.Schema))).Message);
            Assert.Contains(said, Assert.ThrowsAny<T>(() => tuner.Fit(pairs)).Message);
        }
        Refused<ArgumentException>("Option Setting is 'float8', which needs a GPU, but Device is the CPU.", new TrainingBase { Setting = "float8" });
        Refused<InvalidOperationException>("No setting fits 0.1 GiB", new TrainingBase { MemoryBytes = 1 << 27 });
        Refused<ArgumentException>("MemoryBytes chooses the setting", new TrainingBase { Setting = "whole", MemoryBytes = 1L << 40 });
        Refused<IOException>("no.safetensors", new TrainingBase { TransformerFile = _folder.File("no.safetensors") });
    }

    [Fact]
    public void Base_DeviceAndWarningsAreTheStages()
    {
        TrainingBase device = new() { Device = torch.CPU };
        Assert.Contains("option Device of the stage", Assert.Throws<ArgumentException>(() => new LoraFineTunerOptions { Base = device }).Message);
        TrainingBase warned = new() { Warn = _ => { } };
        Assert.Contains("MLContext.Log", Assert.Throws<ArgumentException>(() => new LoraFineTunerOptions { Base = warned }).Message);
    }

    private static LoraFineTunerOptions Options() => new() { Model = OwnFixtures.TinyFlux, Training = Training };

    private LoraWeights Fit(LoraFineTunerOptions options) => new LoraFineTuner(_ml, options).Fit(SampleInput.Of(_ml, "pairs")).Adapter;

    private static Reports Told(List<TrainingProgress> reports) => new(reports.Add);

    /// <summary>Some of the sample's rows as pictures in memory.</summary>
    private static TrainingPair[] Pairs(params int[] rows) =>
    [
        .. rows.Select(i => new TrainingPair(
            MLImages.ToPicture(SampleInput.Image(i, 32, 32), "reference"), MLImages.ToPicture(SampleInput.Image(i + 100, 32, 32), "target"), $"prompt {i}")),
    ];

    private static byte[] TrainedBy(
        LoraTrainingOptions training, TrainingPair[] pairs, TrainingPair[]? heldOut = null, IProgress<TrainingProgress>? progress = null)
    {
        using DiffusionModel model = DiffusionModel.LoadConditional(OwnFixtures.TinyFlux, null, new());
        using LoraAdapter adapter = new LoraTrainer(model, training) { HeldOut = heldOut }.Train(pairs, progress);
        return LoraWeights.Of(adapter, "").File;
    }

    /// <summary>A copy of a network's weights, all a little larger.</summary>
    private string Changed(string weights)
    {
        using SafetensorsFile file = SafetensorsFile.Open(weights);
        using DisposeScope scope = torch.NewDisposeScope();
        Dictionary<string, torch.Tensor> larger = file.Entries.Keys.ToDictionary(name => name, name => file.Read(name) * 1.125f);
        SafetensorsWriter.Write(_folder.File("larger.safetensors"), larger, new Dictionary<string, string>());
        return _folder.File("larger.safetensors");
    }

    [GeneratedRegex(@"^Training a LoRA of '.*tiny-flux' on 2 pairs, on cpu, whole: (?<gib>\d+\.\d GiB)\.$")]
    private static partial Regex Plan();
}
