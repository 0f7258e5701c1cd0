using Dsd.Imaging;

namespace Dsd.Models.Sampling;

/// <summary>How far a sampling loop has come.</summary>
/// <param name="Step">Steps done, from 1 to <paramref name="Steps"/>.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Sigma">The noise level that the step started from, in 0…1.</param>
public sealed record SamplingProgress(int Step, int Steps, float Sigma)
{
    /// <summary>Whether <see cref="Preview"/> can say anything.</summary>
    public bool HasPreview => Guess is not null;

    /// <summary>
    /// The pictures as the model guesses them now: where the step's velocity would lead if it were followed to the end. It takes as long as decoding the
    /// finished pictures, and is there only while the progress is reported: ask within <see cref="IProgress{T}.Report"/>. <see cref="Progress{T}"/>
    /// calls its handler later.
    /// </summary>
    /// <returns>One picture for each request.</returns>
    /// <exception cref="InvalidOperationException">The step is over, or who reports has no preview (<see cref="HasPreview"/>).</exception>
    public IReadOnlyList<Picture> Preview() => Guess?.Invoke() ?? throw new InvalidOperationException(
        "A preview can be had only while the progress is reported: ask for it within IProgress<SamplingProgress>.Report.");

    /// <summary>Gives the pictures; null once the step is over.</summary>
    internal Func<IReadOnlyList<Picture>?>? Guess { get; init; }
}
