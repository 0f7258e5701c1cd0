using Dsd.Common.Options;

namespace Dsd.Lab.Study.Baselines;

/// <summary>Which settings of <see cref="SubjectLoraSystem"/> are tried on subjects that the study does not ask for: all combinations.</summary>
internal sealed record SubjectChoiceOptions
{
    /// <summary>Held-out subjects that settings are tried on, 1 to 10,000.</summary>
    public required int Subjects { get; init => field = OptionCheck.Range(value, 1, 10_000, nameof(Subjects)); }

    /// <summary>Prompts for each, 1 to 100. Default 2.</summary>
    public int Prompts { get; init => field = OptionCheck.Range(value, 1, 100, nameof(Prompts)); } = 2;

    /// <summary>The least prompt following of a setting that may be chosen, 0 to 1. Default 0.98.</summary>
    public double LeastPf { get; init => field = OptionCheck.Range(value, 0, 1, nameof(LeastPf)); } = 0.98;

    /// <summary>Values of <see cref="SubjectLoraOptions.Steps"/>: how early tuning stops.</summary>
    public required IReadOnlyList<long> Steps { get; init => field = Some(value, nameof(Steps)); }

    /// <summary>Values of <see cref="SubjectLoraOptions.LearningRate"/>.</summary>
    public required IReadOnlyList<double> LearningRates { get; init => field = Some(value, nameof(LearningRates)); }

    /// <summary>Values of <see cref="SubjectLoraOptions.PriorSamples"/>.</summary>
    public IReadOnlyList<int> PriorSamples { get; init => field = Some(value, nameof(PriorSamples)); } = [0];

    /// <summary>Values of <see cref="SubjectLoraOptions.Described"/>.</summary>
    public IReadOnlyList<bool> Described { get; init => field = Some(value, nameof(Described)); } = [true];

    /// <summary>Values of <see cref="SubjectLoraOptions.Scale"/>.</summary>
    public IReadOnlyList<float> Scales { get; init => field = Some(value, nameof(Scales)); } = [1f];

    /// <summary>Values of <see cref="SubjectLoraOptions.TextGuidance"/>.</summary>
    public IReadOnlyList<float> TextGuidances { get; init => field = Some(value, nameof(TextGuidances)); } = [1f];

    /// <summary>Every way of tuning, each with all ways of drawing with it.</summary>
    /// <param name="common">What the settings share.</param>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public IReadOnlyList<IReadOnlyList<SubjectLoraOptions>> Settings(SubjectLoraOptions common) =>
    [
        .. from described in Described
           from prior in PriorSamples
           from rate in LearningRates
           from steps in Steps
           let tuned = common with { Described = described, PriorSamples = prior, LearningRate = rate, Steps = steps }
           select (IReadOnlyList<SubjectLoraOptions>)
           [
               .. from scale in Scales from guidance in TextGuidances select tuned with { Scale = scale, TextGuidance = guidance },
           ],
    ];

    private static IReadOnlyList<T> Some<T>(IReadOnlyList<T> values, string name) =>
        values.Count > 0 ? values : throw new ArgumentException($"Option {name} must name at least one value.", name);
}
