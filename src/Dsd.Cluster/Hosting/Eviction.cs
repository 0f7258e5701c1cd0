namespace Dsd.Cluster.Hosting;

/// <summary>
/// Learns when this silo is no member of the cluster any more: the others have declared it dead, it cannot go on, or it was stopped. Orleans
/// would end the process, which is not a library's to do.
/// </summary>
internal sealed class Eviction : IFatalErrorHandler
{
    private readonly TaskCompletionSource<string> _reason = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done, with what was said, when this silo is no member any more.</summary>
    public Task<string> Reason => _reason.Task;

    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null) =>
        Tell(exception is null ? $"{context}" : $"{context}: {exception.Message}");

    public void Tell(string reason) => _reason.TrySetResult(reason);
}
