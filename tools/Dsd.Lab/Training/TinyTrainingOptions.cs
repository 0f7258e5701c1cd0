using Dsd.Common.Options;

namespace Dsd.Lab.Training;

/// <summary>Where, on what, how long and how far the embedded model is trained.</summary>
internal sealed record TinyTrainingOptions
{
    /// <summary>The folder that becomes the model. Checkpoints stand in its subfolder <c>.training</c>.</summary>
    public required string OutFolder { get; init; }

    /// <summary>
    /// <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>; or several of them with commas between, among which the teacher's stage, the longest,
    /// shares out its batches. Default <c>cpu</c>.
    /// </summary>
    public string Device
    {
        get;
        init => field = value.Split(',').All(IsDevice)
            ? value
            : throw new ArgumentException(
                $"Option {nameof(Device)} must be cpu, cuda or cuda:N, or several with commas between, but is '{value}'.", nameof(Device));
    } = "cpu";

    /// <summary>Time after which a checkpoint is written and training stops; null, the default, is none.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>Threads that libtorch and drawing may each use, 1 to 1024; null, the default, is one for every core.</summary>
    public int? Threads { get; init => field = OptionCheck.RangeOrNull(value, 1, 1024, nameof(Threads)); }

    /// <summary>A config file, or null, the default, for the embedded model's own.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>A model's folder to start from in place of nothing, with all parts but its student; null, the default, is nothing.</summary>
    public string? StartFolder { get; init; }

    /// <summary>Stages to run, out of <see cref="TinyTraining.StageNames"/>. Default all.</summary>
    public IReadOnlyList<string> Stages { get; init; } = TinyTraining.StageNames;

    private static bool IsDevice(string name) =>
        name is "cpu" or "cuda" || name.StartsWith("cuda:", StringComparison.Ordinal) && uint.TryParse(name.AsSpan(5), out _);
}
