namespace Quickstart;

/// <summary>Reports progress at once and in order, where <see cref="Progress{T}"/> reports it on other threads.</summary>
internal sealed class ImmediateProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
