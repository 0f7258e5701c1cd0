using Dsd.Evaluation.Judged;

namespace Dsd.Evaluation.Benchmarks.DreamBenchPlus;

/// <summary>What is judged of a <see cref="DreamBenchFolder"/>.</summary>
public sealed record DreamBenchOptions
{
    /// <summary>The texts that judges are asked with. Default this library's own.</summary>
    public Rubrics Rubrics { get; init => field = value ?? throw new ArgumentNullException(nameof(Rubrics)); } = Rubrics.Own;

    /// <summary>Whether all pictures of a prompt are judged. False, the default: the first alone, as the original does.</summary>
    public bool EverySample { get; init; }

    /// <summary>Whether concept preservation is judged. Default true.</summary>
    public bool ConceptPreservation { get; init; } = true;

    /// <summary>Whether prompt following is judged. Default true.</summary>
    public bool PromptFollowing { get; init; } = true;
}
