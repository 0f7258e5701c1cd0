using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Security.Cryptography;
using Dsd.Common.Options;

namespace Dsd.Models.Training.Parallel;

/// <summary>Starts the processes of a group on this machine, one a GPU: what torchrun does, without Python.</summary>
public sealed class ParallelLauncher
{
    private readonly Lock _writing = new();

    /// <summary>Processes, 1 to 1024.</summary>
    public required int Count { get; init => field = OptionCheck.Range(value, 1, 1024, nameof(Count)); }

    /// <summary>The program. Default this one.</summary>
    public string Program { get; init => field = value ?? throw new ArgumentNullException(nameof(Program)); } = Own().Program;

    /// <summary>What the program gets before its arguments: where this one runs as <c>dotnet FILE.dll</c>, by default that file.</summary>
    public IReadOnlyList<string> Prefix { get; init => field = value ?? throw new ArgumentNullException(nameof(Prefix)); } = Own().Prefix;

    /// <summary>The program's arguments, the same for all. Default none.</summary>
    public IReadOnlyList<string> Arguments { get; init => field = value ?? throw new ArgumentNullException(nameof(Arguments)); } = [];

    /// <summary>
    /// Where the processes' output goes: rank 0's as it is, a line of another rank after <c>[RANK]</c>. Null, the default, is this program's console, which
    /// rank 0 then has as its own.
    /// </summary>
    public TextWriter? Output { get; init; }

    /// <summary>The same for what they write as errors.</summary>
    public TextWriter? Error { get; init; }

    /// <summary>
    /// How long the others may take to end by themselves after one has ended with an error, before they are killed, at most an hour. Default 30 seconds, in
    /// which they notice and say why.
    /// </summary>
    public TimeSpan Patience { get; init => field = OptionCheck.Range(value, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(Patience)); } =
        TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long all may take after a cancellation, at most an hour. Default a minute. Ctrl-C reaches them without this program, and they save their state.
    /// </summary>
    public TimeSpan CancelPatience { get; init => field = OptionCheck.Range(value, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(CancelPatience)); } =
        TimeSpan.FromMinutes(1);

    /// <summary>Starts the processes and waits until all have ended.</summary>
    /// <param name="cancellationToken">Ends them: see <see cref="CancelPatience"/>.</param>
    /// <returns>How they ended.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled; all processes have ended.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">The program cannot be started.</exception>
    public async Task<ParallelResult> RunAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string port = FreePort().ToString(CultureInfo.InvariantCulture);
        string job = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        List<Process> processes = [];
        List<Task> outputs = [];
        try
        {
            for (int rank = 0; rank < Count; rank++)
            {
                (Process process, Task output) = Start(rank, port, job);
                processes.Add(process);
                outputs.Add(output);
            }
            ParallelResult result = await WaitAsync(processes, cancellationToken).ConfigureAwait(false);
            // What a process of its own children keeps open is not waited for.
            await Task.WhenAny(Task.WhenAll(outputs), Task.Delay(TimeSpan.FromSeconds(5), CancellationToken.None)).ConfigureAwait(false);
            return result;
        }
        finally
        {
            foreach (Process process in processes)
            {
                Kill(process);
                process.Dispose();
            }
        }
    }

    private async Task<ParallelResult> WaitAsync(List<Process> processes, CancellationToken cancellationToken)
    {
        Dictionary<Task, int> running = processes.Select((p, i) => (Task: p.WaitForExitAsync(CancellationToken.None), i)).ToDictionary(t => t.Task, t => t.i);
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = cancellationToken.Register(() => cancelled.TrySetResult());
        Task? limit = null;
        ParallelResult? first = null;
        while (running.Count > 0)
        {
            List<Task> any = [.. running.Keys, limit ?? cancelled.Task];
            Task done = await Task.WhenAny(any).ConfigureAwait(false);
            if (running.Remove(done, out int rank))
            {
                int code = processes[rank].ExitCode;
                if (code != 0 && first is null)
                {
                    first = new ParallelResult(code, rank, $"Rank {rank} of {Count} ended with exit code {code}; the others were ended too.");
                    limit ??= Task.Delay(Patience, CancellationToken.None);
                }
            }
            else if (done == cancelled.Task && limit is null)
            {
                limit = Task.Delay(CancelPatience, CancellationToken.None);
            }
            else
            {
                foreach (int left in running.Values)
                {
                    Kill(processes[left]);
                }
                limit = new TaskCompletionSource().Task;
            }
        }
        cancellationToken.ThrowIfCancellationRequested();
        return first ?? new ParallelResult(0, null, "");
    }

    private (Process Process, Task Output) Start(int rank, string port, string job)
    {
        // A process that has the console shows its progress as it would alone.
        bool own = rank == 0 && Output is null && Error is null;
        ProcessStartInfo start = new(Program, [.. Prefix, .. Arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = !own,
            RedirectStandardError = !own,
        };
        string number = rank.ToString(CultureInfo.InvariantCulture);
        start.Environment["RANK"] = number;
        start.Environment["LOCAL_RANK"] = number;
        start.Environment["WORLD_SIZE"] = Count.ToString(CultureInfo.InvariantCulture);
        start.Environment["MASTER_ADDR"] = "127.0.0.1";
        start.Environment["MASTER_PORT"] = port;
        start.Environment[TrainingGroupOptions.JobVariable] = job;
        start.Environment.Remove("TORCHELASTIC_USE_AGENT_STORE");
        Process process = Process.Start(start) ?? throw new InvalidOperationException($"'{Program}' did not start.");
        Task output = own
            ? Task.CompletedTask
            : Task.WhenAll(
                Task.Run(() => PassOn(process.StandardOutput, Output ?? Console.Out, rank)),
                Task.Run(() => PassOn(process.StandardError, Error ?? Console.Error, rank)));
        return (process, output);
    }

    private void PassOn(StreamReader from, TextWriter to, int rank)
    {
        try
        {
            while (from.ReadLine() is { } line)
            {
                lock (_writing)
                {
                    to.WriteLine(rank == 0 ? line : $"[{rank}] {line}");
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The process is gone.
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended.
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static (string Program, IReadOnlyList<string> Prefix) Own()
    {
        string program = Environment.ProcessPath ?? "dotnet";
        string? entry = Assembly.GetEntryAssembly()?.Location;
        return Path.GetFileNameWithoutExtension(program) == "dotnet" && entry is { Length: > 0 } ? (program, [entry]) : (program, []);
    }
}
