using Microsoft.ML.Runtime;

namespace Dsd.MLNet.Execution;

/// <summary>Where a stage's work runs: its log, its cancellation, and the names that its errors carry.</summary>
internal sealed class Work(IHostEnvironment environment, string stage, CancellationToken cancellationToken)
{
    private readonly IHost _host = environment.Register(stage);

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

    /// <summary>Runs something long with a token that fires when the option's token does, or when the context's execution is cancelled.</summary>
    public T Run<T>(Func<CancellationToken, T> work)
    {
        using CancellationWatch watch = new(_host, cancellationToken);
        watch.Token.ThrowIfCancellationRequested();
        return work(watch.Token);
    }

    /// <summary>As the other <c>Run</c>, for the values of rows: what goes wrong names the first row, how many there are, and the column.</summary>
    public T Run<T>(long row, int count, string column, Func<CancellationToken, T> work)
    {
        try
        {
            return Run(work);
        }
        catch (OperationCanceledException e) when (e is not DsdRowCanceledException)
        {
            throw new DsdRowCanceledException(row, count, column, e);
        }
        catch (Exception e) when (e is not (DsdRowException or OperationCanceledException))
        {
            throw new DsdRowException(row, count, column, e.Message, e);
        }
    }
}
