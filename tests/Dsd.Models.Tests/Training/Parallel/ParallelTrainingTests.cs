using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.RunApp;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Training.Parallel;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using OptimizerOptions = Dsd.Models.Training.Optimizers.OptimizerOptions;

namespace Dsd.Models.Tests.Training.Parallel;

public class ParallelTrainingTests
{
    private static readonly LoraTrainingOptions Options = new()
    {
        Width = 32,
        Height = 32,
        Steps = 6,
        LearningRate = 0.01,
        Seed = 3,
        ReportEvery = 1,
        Adapter = new LoraOptions { Rank = 2 },
    };

    /// <summary>The promise: two processes with a batch of one are one process with a batch of two, accumulated or not, in buckets or not.</summary>
    [Theory]
    [InlineData(2, 1, false)]
    [InlineData(2, 2, false)]
    [InlineData(3, 1, true)]
    public void ManyRanks_LearnWhatOneWithTheWholeBatchDoes(int world, int accumulation, bool buckets)
    {
        LoraTrainingOptions options = Options with { AccumulationSteps = accumulation, Buckets = buckets, AverageDecay = 0.5 };
        (LoraAdapter whole, List<float> losses) = Alone(options with { BatchSize = world });
        (LoraAdapter Adapter, List<float> Losses)[] found = Together(world, options with { BatchSize = 1 });
        Assert.Equal(6, losses.Count);
        Assert.Equal(losses.Count, found[0].Losses.Count);
        // Sums in another order: see LoraTrainerTests. Another batch's loss would be off by tenths.
        Assert.All(losses.Zip(found[0].Losses), l => Assert.InRange(l.Second, l.First - 2e-4, l.First + 2e-4));
        Assert.All(whole.Factors, f => TensorAssert.Close(f.Value.B, found[0].Adapter.Factors[f.Key].B, 3e-4));
        foreach ((LoraAdapter adapter, List<float> reported) in found[1..])
        {
            Assert.Empty(reported);
            Assert.All(found[0].Adapter.Factors, f => TensorAssert.Equal(f.Value.A, adapter.Factors[f.Key].A));
            Assert.All(found[0].Adapter.Factors, f => TensorAssert.Equal(f.Value.B, adapter.Factors[f.Key].B));
        }
    }

    /// <summary>Two ranks begin, one goes on with batches of two: the examples are the same ones, and so is the end.</summary>
    [Theory]
    [InlineData(typeof(AdamWOptions))]
    [InlineData(typeof(EightBitAdamWOptions))]
    public void ARunResumedWithAnotherWorldSize_EndsWhereOneProcessDoes(Type optimizer)
    {
        using TemporaryFolder folder = new();
        LoraTrainingOptions options = Options with { Optimizer = (OptimizerOptions)Activator.CreateInstance(optimizer)!, Steps = 8, AverageDecay = 0.5 };
        (LoraAdapter whole, _) = Alone(options with { BatchSize = 2 });
        options = options with { CheckpointFolder = folder.Path };
        foreach ((int world, int batch, int until) in new[] { (2, 1, 3), (1, 2, 5), (2, 1, 8) })
        {
            LoraAdapter?[] adapters = new LoraAdapter?[world];
            Exception?[] errors = Ranks.Try(world, group =>
            {
                using CancellationTokenSource stop = new();
                // Rank 0 alone is told; the others must stop with it.
                CancelAt progress = new(stop, until);
                using FluxModel model = Model();
                adapters[group.Rank] = new LoraTrainer(model, options with { BatchSize = batch }) { Group = group }.Train(Pairs(), progress, stop.Token);
            });
            if (until < 8)
            {
                Assert.All(errors, e => Assert.IsType<OperationCanceledException>(e));
                Assert.Contains($"checkpoint-{until}.safetensors", Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName));
            }
            else
            {
                Assert.All(errors, Assert.Null);
                Assert.All(whole.Factors, f => TensorAssert.Close(f.Value.B, adapters[0]!.Factors[f.Key].B, 1e-3));
                Assert.All(whole.Factors, f => TensorAssert.Equal(adapters[1]!.Factors[f.Key].B, adapters[0]!.Factors[f.Key].B));
            }
        }
    }

    [Fact]
    public void ANonFiniteLossOfOneRank_IsSkippedByAll()
    {
        long[] skipped = new long[2];
        float[] weights = new float[2];
        Ranks.Run(2, group =>
        {
            using Linear network = nn.Linear(4, 3);
            TrainingLoopOptions options = new() { Steps = 6, PeakLearningRate = 0.1, Group = group };
            using TrainingLoop loop = new(network.parameters(), options);
            loop.Run(step => network.forward(ones(2, 4)).square().mean() * (group.Rank == 1 && step is 2 or 3 ? float.NaN : 1));
            skipped[group.Rank] = loop.Skipped;
            weights[group.Rank] = network.weight!.sum().item<float>();
        });
        Assert.Equal([2, 2], skipped);
        Assert.Equal(weights[0], weights[1]);
        Assert.True(float.IsFinite(weights[0]));
    }

    [Fact]
    public void AnErrorOfOneRank_EndsAllAndSaysWhy()
    {
        Exception?[] errors = Ranks.Try(3, group =>
        {
            using SmallRun run = new(CPU, group);
            run.Train(null, 5, step =>
            {
                if (step == 2 && group.Rank == 1)
                {
                    throw new TimeoutException("the disk sleeps");
                }
            });
        });
        Assert.IsType<TimeoutException>(errors[1]);
        Assert.Equal("Rank 1 has ended with an error: the disk sleeps", Assert.IsType<TrainingGroupException>(errors[0]).Message);
        Assert.Equal(1, Assert.IsType<TrainingGroupException>(errors[2]).Rank);
    }

    [Fact]
    public void RanksWithOtherOptions_AreRefusedBeforeTheFirstStep()
    {
        Exception?[] errors = Ranks.Try(2, group =>
        {
            using Linear network = nn.Linear(4, 3);
            TrainingLoopOptions options = new() { Steps = 6 + group.Rank, PeakLearningRate = 0.1, Group = group };
            using TrainingLoop loop = new(network.parameters(), options);
            loop.Run(_ => network.weight!.sum());
        });
        Assert.Contains("other options", Assert.IsType<ArgumentException>(errors[1]).Message);
        Assert.Contains("other options", Assert.IsType<TrainingGroupException>(errors[0]).Message);
    }

    [Fact]
    public void RankZeroAloneWritesCheckpoints_AndAllBeginWithItsWeights()
    {
        using TemporaryFolder folder = new();
        double[] sums = new double[2];
        Ranks.Run(2, group =>
        {
            using SmallRun run = new(CPU, group);
            run.Train(folder.File($"{group.Rank}"), 4);
            sums[group.Rank] = run.Sum();
        });
        Assert.Equal(sums[0], sums[1]);
        Assert.Equal([folder.File("0")], Directory.EnumerateFileSystemEntries(folder.Path));
        // Rank 1 has no checkpoint of its own, and goes on all the same.
        Ranks.Run(2, group =>
        {
            using SmallRun run = new(CPU, group);
            run.Train(folder.File($"{group.Rank}"), 4, _ => throw new InvalidOperationException("nothing is left to learn"));
            Assert.Equal(sums[0], run.Sum());
        });
    }

    [Theory]
    [InlineData(8L << 20)]
    [InlineData(50)]
    [InlineData(1)]
    public void GradientsInBuckets_AreAveraged(long longest) => Ranks.Run(2, group => LiveTensors.AssertUnchanged(() =>
    {
        using DisposeScope scope = NewDisposeScope();
        long[][] shapes = [[7, 5], [3], [11, 2, 2], [1], [40]];
        Parameter[] parameters = [.. shapes.Select(s => new Parameter(zeros(s)))];
        for (int i = 0; i < parameters.Length; i++)
        {
            // One has a gradient on one rank alone.
            parameters[i].grad = i == 3 && group.Rank == 1 ? null : full(shapes[i], i + (10 * group.Rank), ScalarType.Float32);
        }
        GradientBuckets buckets = new(parameters, ["a.one", "b.one", "a.two", "ab.one", "b.two"], group);
        ((TcpGroup)group).LongestExchange = longest;
        for (int round = 0; round < 2; round++)
        {
            buckets.Begin("b");
            buckets.Begin("c");
            buckets.Begin("a");
            buckets.End();
        }
        for (int i = 0; i < parameters.Length; i++)
        {
            Assert.Equal(i == 3 ? 1.5f : i + 5, parameters[i].grad!.mean().item<float>());
        }
    }));

    [Fact]
    public void Train_InAGroup_LeavesNoTensorBehind() => Ranks.Run(2, group =>
    {
        using FluxModel model = Model();
        LiveTensors.AssertUnchanged(() => new LoraTrainer(model, Options) { Group = group }.Train(Pairs()).Dispose());
    });

    private static (LoraAdapter Adapter, List<float> Losses) Alone(LoraTrainingOptions options)
    {
        using FluxModel model = Model();
        Losses losses = new();
        return (new LoraTrainer(model, options).Train(Pairs(), losses), losses.All);
    }

    private static (LoraAdapter Adapter, List<float> Losses)[] Together(int world, LoraTrainingOptions options)
    {
        (LoraAdapter, List<float>)[] found = new (LoraAdapter, List<float>)[world];
        Ranks.Run(world, group =>
        {
            using FluxModel model = Model();
            Losses losses = new();
            found[group.Rank] = (new LoraTrainer(model, options) { Group = group }.Train(Pairs(), losses), losses.All);
        });
        return found;
    }

    private static FluxModel Model() => (FluxModel)DiffusionModel.LoadConditional(Fixtures.Path("tiny-flux"));

    private static IEnumerable<TrainingPair> Pairs() =>
        Enumerable.Range(0, 5).Select(i => new TrainingPair(Plain((byte)(40 * i)), Plain((byte)(255 - 40 * i)), $"a picture {i}"));

    private static Picture Plain(byte grey)
    {
        byte[] pixels = new byte[3 * 32 * 32];
        Array.Fill(pixels, grey);
        return new Picture(32, 32, pixels);
    }

    private sealed class Losses : IProgress<TrainingProgress>
    {
        public List<float> All { get; } = [];

        public void Report(TrainingProgress value) => All.Add(value.Loss);
    }

    // Told at the step before, since a group stops after the step in which it hears of it.
    private sealed class CancelAt(CancellationTokenSource stop, long step) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step == step - 1)
            {
                stop.Cancel();
            }
        }
    }
}
