using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using OptimizerOptions = Dsd.Models.Training.Optimizers.OptimizerOptions;

namespace Dsd.Models.Tests.Training;

public class TrainingLoopTests
{
    [Fact]
    public void Run_AfterAnInterruption_EndsWhereAnUndisturbedRunEnds()
    {
        using TemporaryFolder folder = new();
        Linear undisturbed = Network();
        using (TrainingLoop loop = new(undisturbed.parameters(), Options()))
        {
            Assert.True(loop.Run(step => Loss(undisturbed, step)));
        }

        TrainingLoopOptions options = Options() with { CheckpointFolder = folder.Path };
        Linear resumed = Network();
        using CancellationTokenSource stop = new();
        using (TrainingLoop first = new(resumed.parameters(), options))
        {
            Assert.Throws<OperationCanceledException>(() => first.Run(
                step =>
                {
                    if (step == 6)
                    {
                        stop.Cancel();
                    }
                    return Loss(resumed, step);
                },
                cancellationToken: stop.Token));
        }
        using (TrainingLoop second = new(resumed.parameters(), options))
        {
            Assert.Equal(7, second.Step);
            Assert.True(second.Run(step => Loss(resumed, step)));
        }
        TensorAssert.Equal(undisturbed.weight!, resumed.weight!);
    }

    [Fact]
    public void Run_WithAReplica_LearnsFromTheMeanOfBothShares()
    {
        (Linear alone, Linear first, Linear second) = (Network(), Network(), Network());
        using (no_grad())
        {
            second.weight!.zero_();
        }
        using (TrainingLoop loop = new(alone.parameters(), Options()))
        {
            loop.Run(step => (Loss(alone, step) + Loss(alone, step + 100)) / 2);
        }
        using (TrainingLoop loop = new(first.parameters(), Options(), [second.parameters()]))
        {
            Assert.True(loop.Run(step => [() => Loss(first, step), () => Loss(second, step + 100)]));
        }
        TensorAssert.Close(alone.weight!, first.weight!, 1e-6);
        TensorAssert.Equal(first.weight!, second.weight!);
    }

    [Fact]
    public void Run_KeepsAReplicaOnOneThread()
    {
        (Linear first, Linear second) = (Network(), Network());
        System.Collections.Concurrent.ConcurrentBag<int> threads = [];
        using TrainingLoop loop = new(first.parameters(), Options(), [second.parameters()]);
        loop.Run(step =>
        [
            () => Loss(first, step),
            () =>
            {
                threads.Add(Environment.CurrentManagedThreadId);
                return Loss(second, step);
            },
        ]);
        Assert.NotEqual(Environment.CurrentManagedThreadId, Assert.Single(threads.Distinct()));
    }

    [Fact]
    public void Run_ThrowsWhatAReplicaThrows()
    {
        (Linear first, Linear second) = (Network(), Network());
        using TrainingLoop loop = new(first.parameters(), Options(), [second.parameters()]);
        Assert.Throws<TimeoutException>(() => loop.Run(step => [() => Loss(first, step), () => throw new TimeoutException()]));
    }

    [Fact]
    public void Constructor_RefusesAReplicaOfOtherParameters()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new TrainingLoop(Network().parameters(), Options(), [nn.Linear(3, 3).parameters()]));
        Assert.Contains("one for one", e.Message);
    }

    [Fact]
    public void Run_StopsAtTheDeadline()
    {
        Linear network = Network();
        using TrainingLoop loop = new(network.parameters(), Options() with { Deadline = DateTime.UtcNow });
        Assert.False(loop.Run(step => Loss(network, step)));
        Assert.Equal(0, loop.Step);
    }

    [Fact]
    public void Run_RefusesALossThatIsNoNumber()
    {
        Linear network = Network();
        using TrainingLoop loop = new(network.parameters(), Options());
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => loop.Run(step => Loss(network, step) * float.NaN));
        Assert.Contains("NaN", e.Message);
    }

    [Fact]
    public void Run_LeavesOutStepsWithoutANumber_AndCountsThem()
    {
        Linear with = Network();
        Linear without = Network();
        TrainingLoopOptions options = Options() with { ReportEvery = 12, Schedule = LearningRateSchedule.Constant, WarmupSteps = 0, AverageDecay = 0 };
        TrainingProgress? last = null;
        using (TrainingLoop loop = new(with.parameters(), options))
        {
            Assert.True(loop.Run(step => Loss(with, step) * (step is 4 or 5 ? float.PositiveInfinity : 1), new Last(p => last = p)));
            Assert.Equal((12, 2), (loop.Step, loop.Skipped));
        }
        using (TrainingLoop loop = new(without.parameters(), options with { Steps = 10 }))
        {
            loop.Run(step => Loss(without, step < 4 ? step : step + 2));
        }
        TensorAssert.Equal(without.weight!, with.weight!);
        Assert.Equal(2, last!.Skipped);
        Assert.True(float.IsFinite(last.Loss));
    }

    [Fact]
    public void Run_WithTooManySkippedInARow_LeavesTheLastGoodCheckpoint()
    {
        using TemporaryFolder folder = new();
        Linear network = Network();
        TrainingLoopOptions options = Options() with { CheckpointFolder = folder.Path, CheckpointSteps = 5, MaxSkippedInRow = 3 };
        using (TrainingLoop loop = new(network.parameters(), options))
        {
            InvalidOperationException e =
                Assert.Throws<InvalidOperationException>(() => loop.Run(step => Loss(network, step) * (step >= 5 ? float.NaN : 1)));
            Assert.Contains("3 steps in a row", e.Message);
        }
        Assert.Equal(["checkpoint-5.safetensors"], Names(folder));
        using TrainingLoop next = new(network.parameters(), options);
        Assert.Equal(5, next.Step);
    }

    [Fact]
    public void Run_WithAccumulation_AveragesSoManyLosses()
    {
        Linear large = Network();
        Linear small = Network();
        using (TrainingLoop loop = new(large.parameters(), Options()))
        {
            loop.Run(step => (Loss(large, 3 * step) + Loss(large, 3 * step + 1) + Loss(large, 3 * step + 2)) / 3);
        }
        using (TrainingLoop loop = new(small.parameters(), Options() with { AccumulationSteps = 3 }))
        {
            loop.Run(number => Loss(small, number));
        }
        TensorAssert.Close(large.weight!, small.weight!, 1e-6);
    }

    public static TheoryData<OptimizerOptions> Optimizers => [new AdamWOptions(), new EightBitAdamWOptions(), new ProdigyOptions { InitialDistance = 0.01 }];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Run_InterruptedAtAnyStep_EndsWithTheSameBits(OptimizerOptions optimizer)
    {
        TrainingLoopOptions options = Options() with { Optimizer = optimizer, AccumulationSteps = 2, ReportEvery = 1, PeakLearningRate = 0.5 };
        Linear undisturbed = Network();
        using (TrainingLoop loop = new(undisturbed.parameters(), options))
        {
            Assert.True(loop.Run(number => Broken(undisturbed, number)));
        }
        foreach (int at in new[] { 1, 4, 5, 11 })
        {
            using TemporaryFolder folder = new();
            TrainingLoopOptions kept = options with { CheckpointFolder = folder.Path };
            using CancellationTokenSource stop = new();
            Linear first = Network();
            using (TrainingLoop loop = new(first.parameters(), kept))
            {
                Last cancel = new(p =>
                {
                    if (p.Step == at)
                    {
                        stop.Cancel();
                    }
                });
                Assert.Throws<OperationCanceledException>(() => loop.Run(number => Broken(first, number), cancel, stop.Token));
            }
            Linear second = Network();
            using (TrainingLoop loop = new(second.parameters(), kept))
            {
                Assert.Equal(at, loop.Step);
                Assert.True(loop.Run(number => Broken(second, number)));
                Assert.Equal(1, loop.Skipped);
            }
            TensorAssert.Equal(undisturbed.weight!, second.weight!);
            TensorAssert.Equal(undisturbed.bias!, second.bias!);
        }

        static Tensor Broken(Linear network, long number) => Loss(network, number) * (number == 7 ? float.NaN : 1);
    }

    [Fact]
    public void Run_OfAFinishedRun_ChangesNothing()
    {
        using TemporaryFolder folder = new();
        TrainingLoopOptions options = Options() with { CheckpointFolder = folder.Path };
        Linear first = Network();
        using (TrainingLoop loop = new(first.parameters(), options))
        {
            loop.Run(step => Loss(first, step));
        }
        byte[] before = File.ReadAllBytes(folder.File("checkpoint-12.safetensors"));
        DateTime written = File.GetLastWriteTimeUtc(folder.File("checkpoint-12.safetensors"));
        Linear again = Network();
        using (TrainingLoop loop = new(again.parameters(), options))
        {
            Assert.True(loop.Run(Nothing));
        }
        TensorAssert.Equal(first.weight!, again.weight!);
        Assert.Equal(["checkpoint-12.safetensors"], Names(folder));
        Assert.Equal(before, File.ReadAllBytes(folder.File("checkpoint-12.safetensors")));
        Assert.Equal(written, File.GetLastWriteTimeUtc(folder.File("checkpoint-12.safetensors")));

        static Tensor Nothing(long step) => throw new InvalidOperationException("nothing is left to learn");
    }

    [Fact]
    public void Run_KeepsTheLastFewCheckpoints()
    {
        using TemporaryFolder folder = new();
        Linear network = Network();
        using TrainingLoop loop = new(
            network.parameters(), Options() with { CheckpointFolder = folder.Path, CheckpointSteps = 2, KeepCheckpoints = 2 });
        loop.Run(step => Loss(network, step));
        Assert.Equal(["checkpoint-10.safetensors", "checkpoint-12.safetensors"], Names(folder));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Constructor_WithADamagedNewestCheckpoint_FallsBackToTheOneBefore(bool cut)
    {
        using TemporaryFolder folder = new();
        List<string> remarks = [];
        TrainingLoopOptions options = Options() with { CheckpointFolder = folder.Path, CheckpointSteps = 4, Warn = remarks.Add };
        Linear first = Network();
        using (TrainingLoop loop = new(first.parameters(), options))
        {
            loop.Run(step => Loss(first, step));
        }
        Damage(folder.File("checkpoint-12.safetensors"), cut);
        Linear second = Network();
        using (TrainingLoop loop = new(second.parameters(), options))
        {
            Assert.Equal(8, loop.Step);
            Assert.Contains("checkpoint-12.safetensors", Assert.Single(remarks));
            loop.Run(step => Loss(second, step));
        }
        TensorAssert.Equal(first.weight!, second.weight!);
        using TrainingLoop third = new(Network().parameters(), options);
        Assert.Equal(12, third.Step);
    }

    [Fact]
    public void Constructor_WithDamagedCheckpointsAlone_Refuses()
    {
        using TemporaryFolder folder = new();
        TrainingLoopOptions options = Options() with { CheckpointFolder = folder.Path, CheckpointSteps = 6 };
        Linear network = Network();
        using (TrainingLoop loop = new(network.parameters(), options))
        {
            loop.Run(step => Loss(network, step));
        }
        Damage(folder.File("checkpoint-12.safetensors"), cut: true);
        Damage(folder.File("checkpoint-6.safetensors"), cut: false);
        WeightsException e = Assert.Throws<WeightsException>(() => new TrainingLoop(network.parameters(), options));
        Assert.Contains("checkpoint-6", e.Message);
    }

    [Fact]
    public void Constructor_RefusesACheckpointOfOtherOptions_ButNotOfAShorterRunAtAConstantRate()
    {
        using TemporaryFolder folder = new();
        TrainingLoopOptions options = Options() with { CheckpointFolder = folder.Path, Schedule = LearningRateSchedule.Constant };
        Linear network = Network();
        using (TrainingLoop loop = new(network.parameters(), options))
        {
            loop.Run(step => Loss(network, step));
        }
        ArgumentException e = Assert.Throws<ArgumentException>(() => new TrainingLoop(network.parameters(), options with { WarmupSteps = 1 }));
        Assert.Contains("WarmupSteps was 3 and is 1", e.Message);
        e = Assert.Throws<ArgumentException>(() => new TrainingLoop(network.parameters(), options with { Optimizer = new ProdigyOptions() }));
        Assert.Contains("Optimizer", e.Message);
        using TrainingLoop longer = new(network.parameters(), options with { Steps = 20 });
        Assert.Equal(12, longer.Step);
    }

    [Fact]
    public void Run_LeavesNoTensorBehind()
    {
        using TemporaryFolder folder = new();
        Linear network = Network();
        LiveTensors.AssertUnchanged(() =>
        {
            using DisposeScope scope = NewDisposeScope();
            using TrainingLoop loop = new(
                network.parameters(), Options() with { CheckpointFolder = folder.File(Guid.NewGuid().ToString()), Optimizer = new EightBitAdamWOptions() });
            loop.Run(step => Loss(network, step));
        });
    }

    [Theory]
    [InlineData(LearningRateSchedule.Cosine, 6, 0.5)]
    [InlineData(LearningRateSchedule.Linear, 6, 0.5)]
    [InlineData(LearningRateSchedule.Linear, 9, 0.125)]
    [InlineData(LearningRateSchedule.Constant, 9, 1)]
    [InlineData(LearningRateSchedule.Constant, 0, 1.0 / 3)]
    [InlineData(LearningRateSchedule.Linear, 1, 2.0 / 3)]
    public void LearningRate_FollowsItsSchedule(LearningRateSchedule schedule, long step, double expected) =>
        Assert.Equal(expected, LearningRate.At(schedule, step, steps: 10, warmup: 2, peak: 1), 1e-12);

    private static IEnumerable<string> Names(TemporaryFolder folder) =>
        Directory.EnumerateFiles(folder.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    private static void Damage(string file, bool cut)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 4;
        File.WriteAllBytes(file, cut ? bytes[..^40] : bytes);
    }

    private sealed class Last(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    [Fact]
    public void Run_ReportsAsOftenAsAskedAndAtTheEnd()
    {
        List<long> reported = [];
        Linear network = Network();
        using TrainingLoop loop = new(network.parameters(), Options() with { ReportEvery = 5 });
        loop.Run(step => Loss(network, step), new Recorder(reported));
        Assert.Equal([5, 10, 12], reported);
    }

    private sealed class Recorder(List<long> reported) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => reported.Add(value.Step);
    }

    private static TrainingLoopOptions Options() => new() { Steps = 12, PeakLearningRate = 0.05, WarmupSteps = 3, AverageDecay = 0.9 };

    private static Linear Network()
    {
        Linear network = nn.Linear(4, 2);
        using (no_grad())
        {
            network.weight!.fill_(0.5);
            network.bias!.zero_();
        }
        return network;
    }

    private static Tensor Loss(Linear network, long step)
    {
        using Generator generator = new((ulong)step);
        return (network.forward(randn([8, 4], generator: generator)) - 1).square().mean();
    }
}
