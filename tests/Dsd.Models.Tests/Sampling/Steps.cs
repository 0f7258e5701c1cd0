using Dsd.Models.Sampling;

namespace Dsd.Models.Tests.Sampling;

/// <summary>Remembers the progress that is reported, at once, and may do something then.</summary>
internal sealed class Steps(Action? then = null) : IProgress<SamplingProgress>
{
    public List<SamplingProgress> Seen { get; } = [];

    public void Report(SamplingProgress value)
    {
        Seen.Add(value);
        then?.Invoke();
    }
}
