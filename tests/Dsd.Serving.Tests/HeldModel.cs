using System.Collections.Concurrent;
using Dsd.Imaging;
using Dsd.Models.Sampling;

namespace Dsd.Serving.Tests;

/// <summary>A model whose steps wait until they are let go: for tests of queues and of clients that leave.</summary>
internal sealed class HeldModel : IDsdModel
{
    private readonly SemaphoreSlim _steps = new(0);
    private int _begun;
    private int _done;
    private int _cancelled;

    /// <summary>Pictures that were begun.</summary>
    public int Begun => Volatile.Read(ref _begun);

    /// <summary>Steps that were done.</summary>
    public int Done => Volatile.Read(ref _done);

    /// <summary>Pictures that ended by cancellation.</summary>
    public int Cancelled => Volatile.Read(ref _cancelled);

    public bool IsDisposed { get; private set; }

    public ConcurrentQueue<string> Prompts { get; } = new();

    /// <summary>Lets some steps go on.</summary>
    public void Let(int steps) => _steps.Release(steps);

    public IReadOnlyList<Picture> Generate(
        IReadOnlyList<DsdRequest> requests, DsdOptions options, IProgress<SamplingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Prompts.Enqueue(requests[0].Prompt);
        Interlocked.Increment(ref _begun);
        try
        {
            for (int step = 1; step <= options.Steps; step++)
            {
                _steps.Wait(cancellationToken);
                Interlocked.Increment(ref _done);
                progress?.Report(new SamplingProgress(step, options.Steps, 0));
            }
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancelled);
            throw;
        }
        return [requests[0].Reference.CropToFit(options.Width, options.Height)];
    }

    public void Dispose() => IsDisposed = true;
}
