using System.Collections.Concurrent;

namespace Dsd.Models.Training;

/// <summary>One thread that does the work of one device for a whole run: a new thread for each step would set up CUDA's libraries anew each time.</summary>
internal sealed class DeviceWorker : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    public DeviceWorker()
    {
        _thread = new Thread(() =>
        {
            foreach (Action action in _work.GetConsumingEnumerable())
            {
                action();
            }
        })
        {
            IsBackground = true,
            Name = nameof(DeviceWorker),
        };
        _thread.Start();
    }

    /// <summary>Puts work at the end of the queue; what it throws is thrown to whoever awaits the task.</summary>
    public Task<T> Run<T>(Func<T> work)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>Waits for the work in the queue and ends the thread.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }
}
