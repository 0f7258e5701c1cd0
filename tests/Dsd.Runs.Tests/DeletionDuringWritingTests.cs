using Dsd.Imaging;

namespace Dsd.Runs.Tests;

/// <summary>A folder that goes while grids and rows are written, file by file, at any moment.</summary>
public sealed class DeletionDuringWritingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task WhateverGoesFirst_TheFaultSaysThatItWasTakenAway()
    {
        if (OperatingSystem.IsWindows())
        {
            // Files that are open are not given away there.
            return;
        }
        for (int round = 0; round < 60; round++)
        {
            string run = _folder.File($"run{round}");
            await using RunFolder folder = RunFolder.Open(run);
            TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<Exception> writing = Task.Run(() => WriteUntilItFails(folder, begun));
            await begun.Task;
            await Task.Delay(round % 6);
            while (Directory.Exists(run))
            {
                try
                {
                    Directory.Delete(run, recursive: true);
                }
                catch (IOException)
                {
                    // Something was written into it meanwhile.
                }
            }

            Exception fault = await writing;

            Assert.IsType<IOException>(fault);
            Assert.True(fault.Message.Contains("was deleted, moved or replaced", StringComparison.Ordinal), $"Round {round}: {fault.Message}");
            Assert.False(Directory.Exists(run));
        }
    }

    private static async Task<Exception> WriteUntilItFails(RunFolder folder, TaskCompletionSource begun)
    {
        Picture grid = new(4, 4, new byte[4 * 4 * 3]);
        try
        {
            for (int i = 0; ; i++)
            {
                // Each row by itself: what is tested is the moment between any two files.
                await folder.WriteGridAsync($"c{i}~0", grid, "teacher");
                await folder.WriteFailureAsync($"c{i}", "s", "m");
                _ = folder.Ledger.Counts();
                begun.TrySetResult();
            }
        }
        catch (Exception e)
        {
            begun.TrySetResult();
            return e;
        }
    }
}
