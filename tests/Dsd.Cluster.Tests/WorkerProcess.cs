using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;

namespace Dsd.Cluster.Tests;

/// <summary>A process of Dsd.Cluster.Worker, whose lines are read as they come.</summary>
/// <remarks>By threads of their own: waiting for a pipe holds a thread, and some of the pool's few would starve the silos in this process.</remarks>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Task<string> _errors;

    public WorkerProcess(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Dsd.Cluster.Worker.dll"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        _process = Process.Start(start)!;
        _errors = Task.Factory.StartNew(_process.StandardError.ReadToEnd, TaskCreationOptions.LongRunning);
        Task.Factory.StartNew(ReadLines, TaskCreationOptions.LongRunning);
    }

    /// <summary>Waits until a run's folder holds some grids.</summary>
    public static async Task DrawnAsync(string run, int count)
    {
        string grids = Path.Combine(run, "grids");
        Stopwatch since = Stopwatch.StartNew();
        while (!Directory.Exists(grids) || Directory.EnumerateFiles(grids, "*.png", SearchOption.AllDirectories).Count() < count)
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(30), "No grids are drawn.");
            await Task.Delay(50);
        }
    }

    /// <summary>The next line that it prints.</summary>
    public async Task<string> LineAsync()
    {
        try
        {
            return await _lines.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (ChannelClosedException)
        {
            throw new InvalidOperationException($"The process has ended: {await _errors}");
        }
    }

    /// <summary>Lets a worker that has joined begin.</summary>
    public void Begin() => _process.StandardInput.WriteLine();

    /// <summary>Ends it at once, as the kernel does.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Sends a signal by its name, such as STOP.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private void ReadLines()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            _lines.Writer.TryWrite(line);
        }
        _lines.Writer.Complete();
    }
}
