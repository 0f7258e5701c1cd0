using System.Diagnostics;
using Dsd.MLNet.Stages.Rows;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet.Stages.Running;

/// <summary>Where a stage's work runs: its log, its cancellation, its end, and the names that its errors carry.</summary>
internal sealed class StageHost(IHostEnvironment environment, string stage, CancellationToken cancellationToken)
{
    private readonly IHost _host = environment.Register(stage);
    private readonly CancellationTokenSource _closed = new();

    /// <summary>The context that the stage was made in.</summary>
    public IHostEnvironment Environment => environment;

    /// <summary>The stage's name.</summary>
    public string Stage => stage;

    /// <summary>Writes to the context's log (<c>MLContext.Log</c>).</summary>
    public void Info(string message)
    {
        using IChannel channel = _host.Start(stage);
        channel.Info(message);
    }

    /// <summary>Writes a warning to the context's log.</summary>
    public void Warn(string message)
    {
        using IChannel channel = _host.Start(stage);
        channel.Warning(message);
    }

    /// <summary>No work begins any more, and what runs is cancelled: the transformer is being disposed.</summary>
    public void Close() => _closed.Cancel();

    /// <summary>Runs something long with a token that fires when the option's token does, or when the context's execution is cancelled.</summary>
    public T Run<T>(Func<CancellationToken, T> work) => RunAsync(default, cancel => Task.FromResult(work(cancel))).GetAwaiter().GetResult();

    /// <summary>As the other <c>Run</c>, for the values of a window's rows: what goes wrong names the first row, how many there are, and the column.</summary>
    public T Run<T>(RowWindow rows, string column, Func<CancellationToken, T> work)
    {
        long began = Stopwatch.GetTimestamp();
        T value = RunAsync(rows.Window, rows.Count, column, rows.Stopped, cancel => Task.FromResult(work(cancel))).GetAwaiter().GetResult();
        rows.Computed(this, Stopwatch.GetElapsedTime(began));
        return value;
    }

    /// <summary>As the other <c>Run</c>, for the values of rows, and until nobody waits for them any more.</summary>
    /// <exception cref="ObjectDisposedException">The transformer was disposed, before or meanwhile.</exception>
    public async Task<T> RunAsync<T>(long row, int count, string column, CancellationToken stopped, Func<CancellationToken, Task<T>> work)
    {
        try
        {
            return await RunAsync(stopped, work).ConfigureAwait(false);
        }
        catch (Exception e) when (_closed.IsCancellationRequested)
        {
            throw new ObjectDisposedException(
                $"The transformer of a {stage} was disposed, so its view can no longer be read. Dispose it after the last row, or load it again.", e);
        }
        catch (OperationCanceledException e) when (e is not DsdRowCanceledException)
        {
            throw new DsdRowCanceledException(row, count, column, e);
        }
        catch (Exception e) when (e is not (DsdRowException or OperationCanceledException))
        {
            throw new DsdRowException(row, count, column, e.Message, e) { OfWork = true };
        }
    }

    private async Task<T> RunAsync<T>(CancellationToken stopped, Func<CancellationToken, Task<T>> work)
    {
        using CancellationTokenSource ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopped, _closed.Token);
        using CancellationWatch watch = new(_host, ends.Token);
        watch.Token.ThrowIfCancellationRequested();
        return await work(watch.Token).ConfigureAwait(false);
    }
}
