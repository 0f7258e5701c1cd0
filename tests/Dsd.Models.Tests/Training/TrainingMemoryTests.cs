using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Testing;
using TorchSharp;

namespace Dsd.Models.Tests.Training;

[Collection(RunAlone.Name)]
public sealed class TrainingMemoryTests
{
    private const int Every = 100;
    private const int Reports = 12;

    [Trait("Category", "Long")]
    [LinuxFact]
    public void AThousandSteps_LeaveNoTensor_AndTakeNoMoreMemoryThanAFew()
    {
        using DiffusionModel model = DiffusionModel.LoadConditional(Fixtures.Path("tiny-flux"));
        TrainingPair[] pairs = [.. Enumerable.Range(0, 5).Select(i => new TrainingPair(Noise(2 * i), Noise((2 * i) + 1), $"a fox {i}"))];
        LoraTrainingOptions options = new()
        {
            Width = 32,
            Height = 32,
            Steps = Every * Reports,
            BatchSize = 2,
            ReportEvery = Every,
            AverageDecay = 0.9,
            Adapter = new LoraOptions { Rank = 2 },
        };
        List<(long Tensors, long Bytes)> seen = [];

        new LoraTrainer(model, options).Train(pairs, new Looker(() => seen.Add((DisposeScopeManager.Statistics.ThreadTotalLiveCount, Settled())))).Dispose();

        // From the second report on: the first steps set up what stays.
        Assert.Equal(Reports, seen.Count);
        Assert.All(seen[1..], s => Assert.Equal(seen[1].Tensors, s.Tensors));
        // 32 kB for each step; what the allocator keeps varies by some MB.
        Assert.InRange(seen[^1].Bytes - seen[1].Bytes, long.MinValue, 32 << 20);
    }

    private static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return ProcessMemory.Anonymous();
    }

    private static Picture Noise(int seed)
    {
        byte[] pixels = new byte[3 * 32 * 32];
        new Random(seed).NextBytes(pixels);
        return new Picture(32, 32, pixels);
    }

    private sealed class Looker(Action look) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => look();
    }
}
