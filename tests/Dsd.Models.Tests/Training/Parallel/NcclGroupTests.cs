using System.Diagnostics;
using Dsd.Models.RunApp;
using Dsd.Models.Training.Parallel;
using Dsd.Testing;
using TorchSharp;

namespace Dsd.Models.Tests.Training.Parallel;

[Trait("Category", "Gpu")]
public class NcclGroupTests
{
    [GpusFact(2)]
    public async Task TwoGpus_LearnWhatOneCpuDoes()
    {
        (ParallelResult result, string output, string errors) = await ParallelLauncherTests.Launch(2, "-", "cuda", 50);
        Assert.True(result.ExitCode == 0, errors);
        using SmallRun alone = new(torch.CPU, null);
        alone.Train(null, 50);
        double[] sums = [.. ParallelLauncherTests.Sums(output)];
        Assert.Equal(2, sums.Length);
        Assert.Equal(sums[0], sums[1]);
        // TF32 in the GPU's products.
        Assert.Equal(alone.Sum(), sums[0], 0.05);
    }

    [GpusFact(2)]
    public async Task AKilledProcess_EndsTheOther_WhichWaitsInNccl()
    {
        Stopwatch watch = Stopwatch.StartNew();
        (ParallelResult result, _, string errors) = await ParallelLauncherTests.Launch(2, "-", "cuda", 1000, dying: 1, at: 20, how: "kill");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(90), $"{watch.Elapsed}");
        Assert.Equal(1, result.Rank);
        // Said by rank 0 itself: it was not killed by the launcher.
        Assert.Contains("rank 0 ends: Rank 1 (", errors, StringComparison.Ordinal);
    }

    [GpusFact(2)]
    public async Task AnErrorOfOneProcess_EndsTheOther()
    {
        (ParallelResult result, _, string errors) = await ParallelLauncherTests.Launch(2, "-", "cuda", 1000, dying: 0, at: 20, how: "throw");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("rank 1 ends: Rank 0 has ended with an error: no more memory", errors, StringComparison.Ordinal);
    }
}
