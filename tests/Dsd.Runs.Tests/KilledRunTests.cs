using System.Diagnostics;
using Dsd.Runs.RunApp;
using Dsd.Testing.Runs;

namespace Dsd.Runs.Tests;

public sealed class KilledRunTests : IDisposable
{
    private const int Kills = 50;
    private const int Captions = 500;
    private const int PairsOfAGrid = 6;
    private const int GridsOfACaption = 2;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Trait("Category", "Long")]
    [Fact]
    public async Task ARunKilledFiftyTimes_HoldsWhatAnUndisturbedOneHolds()
    {
        (string killed, string whole) = (_folder.File("killed"), _folder.File("whole"));
        (string killedLog, string wholeLog) = (_folder.File("killed.log"), _folder.File("whole.log"));
        Random random = new(20261124);
        int cutShort = 0;
        for (int kill = 0; kill < Kills; kill++)
        {
            using Process run = Start(killed, killedLog);
            Assert.Equal("running", await run.StandardOutput.ReadLineAsync());
            await Task.Delay(random.Next(0, 90));
            cutShort += run.HasExited ? 0 : 1;
            run.Kill();
            await run.WaitForExitAsync();
        }
        await Finish(killed, killedLog);
        await Finish(whole, wholeLog);

        // A test whose processes had all ended by themselves would prove nothing.
        Assert.Equal(Kills, cutShort);
        Assert.Equal(RunRows.Of(whole), RunRows.Of(killed));
        Assert.Equal(Captions * GridsOfACaption * PairsOfAGrid, File.ReadLines(wholeLog).Count(line => line.StartsWith("pair", StringComparison.Ordinal)));
        await GridsAreWhole(killed);

        // Repeated is only what was under way: pairs at the judges, and grids from the teacher to the ledger.
        Assert.InRange(Repeated(killedLog, "pair"), 0, Kills * RunLimits.Judges);
        Assert.InRange(Repeated(killedLog, "grid"), 0, Kills * (4 * RunLimits.Batch));
    }

    private static int Repeated(string log, string kind)
    {
        string[] lines = [.. File.ReadLines(log).Where(line => line.StartsWith(kind, StringComparison.Ordinal))];
        return lines.Length - lines.Distinct().Count();
    }

    private static async Task GridsAreWhole(string path)
    {
        await using RunFolder folder = RunFolder.OpenToRead(path);
        for (int i = 0; i < Captions; i++)
        {
            for (int p = 0; p < GridsOfACaption; p++)
            {
                Assert.NotNull(folder.Load(folder.Ledger.GridOf($"c{i}~{p}")!));
            }
        }
    }

    private static async Task Finish(string folder, string log)
    {
        using Process run = Start(folder, log);
        Task<string> output = run.StandardOutput.ReadToEndAsync();
        string errors = await run.StandardError.ReadToEndAsync();
        await run.WaitForExitAsync();
        Assert.True(run.ExitCode == 0, errors);
        Assert.Contains("done", await output, StringComparison.Ordinal);
    }

    private static Process Start(string folder, string log) =>
        Process.Start(new ProcessStartInfo("dotnet", [typeof(SeedTeacher).Assembly.Location, folder, log, $"{Captions}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
}
