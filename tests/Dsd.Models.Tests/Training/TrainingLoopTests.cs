using Dsd.Models.Training;
using Dsd.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

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

        TrainingLoopOptions options = Options() with { Checkpoint = folder.File("loop.safetensors") };
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
