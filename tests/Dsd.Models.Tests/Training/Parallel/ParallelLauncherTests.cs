using System.Diagnostics;
using System.Globalization;
using Dsd.Models.RunApp;
using Dsd.Models.Training.Parallel;
using Dsd.Testing;
using TorchSharp;

namespace Dsd.Models.Tests.Training.Parallel;

public class ParallelLauncherTests
{
    [Fact]
    public async Task Processes_LearnWhatOneDoes()
    {
        (ParallelResult result, string output, string errors) = await Launch(2, "-", "cpu", 6);
        Assert.True(result.ExitCode == 0, errors);
        using SmallRun alone = new(torch.CPU, null);
        alone.Train(null, 6);
        double[] sums = [.. Sums(output)];
        Assert.Equal(2, sums.Length);
        Assert.Equal(sums[0], sums[1]);
        Assert.Equal(alone.Sum(), sums[0], 1e-4);
        Assert.Contains("\n[1] 1 step 5", output, StringComparison.Ordinal);
        Assert.Contains("\n0 step 5", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AKilledProcess_EndsAllSoon_AndTheRunGoesOnWithAnotherNumber()
    {
        using TemporaryFolder folder = new();
        Stopwatch watch = Stopwatch.StartNew();
        (ParallelResult result, string output, string errors) = await Launch(2, folder.Path, "cpu", 8, dying: 1, at: 5, how: "kill");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"{watch.Elapsed}");
        Assert.Equal(1, result.Rank);
        Assert.Equal(137, result.ExitCode);
        Assert.Contains("Rank 1 of 2", result.Message, StringComparison.Ordinal);
        Assert.Contains("rank 0 ends: Rank 1 (", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("0 step 6", output, StringComparison.Ordinal);

        (result, output, errors) = await Launch(4, folder.Path, "cpu", 8);
        Assert.True(result.ExitCode == 0, errors);
        Assert.DoesNotContain("0 step 3", output, StringComparison.Ordinal);
        Assert.Contains("0 step 4", output, StringComparison.Ordinal);
        using SmallRun alone = new(torch.CPU, null);
        alone.Train(null, 8);
        Assert.Equal(alone.Sum(), Sums(output).First(), 1e-4);
    }

    [Fact]
    public async Task AnErrorOfOneProcess_IsSaidByTheOthers()
    {
        (ParallelResult result, _, string errors) = await Launch(2, "-", "cpu", 8, dying: 1, at: 2, how: "throw");
        Assert.Contains(result.ExitCode, new[] { 3, 4 });
        Assert.Contains("rank 0 ends: Rank 1 has ended with an error: no more memory, says the test", errors, StringComparison.Ordinal);
        Assert.Contains("[1] rank 1 ends: no more memory", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACancelledRun_LeavesNoProcess()
    {
        using CancellationTokenSource stop = new(TimeSpan.FromSeconds(2));
        Stopwatch watch = Stopwatch.StartNew();
        ParallelLauncher launcher = Launcher(2, new StringWriter(), new StringWriter(), ["-", "cpu", "1000000000", "-1", "0", "-"]);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => launcher.RunAsync(stop.Token));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"{watch.Elapsed}");
    }

    internal static IEnumerable<double> Sums(string output) => output.Split('\n')
        .Where(line => line.Contains(": ", StringComparison.Ordinal))
        .Select(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    internal static async Task<(ParallelResult Result, string Output, string Errors)> Launch(
        int count, string folder, string device, int steps, int dying = -1, long at = 0, string how = "-")
    {
        (StringWriter output, StringWriter errors) = (new(), new());
        ParallelResult result = await Launcher(count, output, errors, [folder, device, $"{steps}", $"{dying}", $"{at}", how]).RunAsync();
        return (result, output.ToString(), errors.ToString());
    }

    private static ParallelLauncher Launcher(int count, TextWriter output, TextWriter errors, string[] arguments) => new()
    {
        Count = count,
        Program = "dotnet",
        Prefix = [typeof(SmallRun).Assembly.Location],
        Arguments = arguments,
        Output = output,
        Error = errors,
        CancelPatience = TimeSpan.FromSeconds(1),
    };
}
