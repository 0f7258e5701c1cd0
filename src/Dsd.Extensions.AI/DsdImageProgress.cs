using Microsoft.Extensions.AI;

namespace Dsd.Extensions.AI;

/// <summary>How far a request has come.</summary>
/// <param name="Picture">The picture that is being drawn, from 0.</param>
/// <param name="Pictures">Pictures of the request.</param>
/// <param name="Step">Steps of this picture that are done, from 1.</param>
/// <param name="Steps">Steps of each picture.</param>
/// <param name="Seed">The picture's seed.</param>
public sealed record DsdImageProgress(int Picture, int Pictures, int Step, int Steps, long Seed)
{
    /// <summary>
    /// What the model guesses the picture to become, in the format of the answer. It is there <see cref="ImageGenerationOptions.StreamingCount"/> times for
    /// each picture, at equal distances, and null after other steps.
    /// </summary>
    public DataContent? Preview { get; init; }
}
