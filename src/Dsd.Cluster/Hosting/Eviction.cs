namespace Dsd.Cluster.Hosting;

/// <summary>Told when the others have declared this silo dead, or it cannot go on: Orleans would end the process, which is not a library's to do.</summary>
internal sealed class Eviction : IFatalErrorHandler
{
    private readonly TaskCompletionSource<string> _reason = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done, with what was said, when this silo is no member any more.</summary>
    public Task<string> Reason => _reason.Task;

    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null) =>
        _reason.TrySetResult(exception is null ? $"{context}" : $"{context}: {exception.Message}");
}
