namespace Quickstart;

/// <summary>Progress that is told at once and in order, where <see cref="Progress{T}"/> tells it on other threads.</summary>
internal sealed class Told<T>(Action<T> tell) : IProgress<T>
{
    public void Report(T value) => tell(value);
}
