using System.Text.Json;
using Dsd.Common.Options;
using Dsd.Lab.Study.Baselines;

namespace Dsd.Lab.Study;

/// <summary>Everything that decides the study's results beside the model: sizes, steps, rates and the seed. Read from <c>study.json</c>.</summary>
internal sealed record StudyConfig
{
    /// <summary>Where all random numbers start.</summary>
    public required long Seed { get; init; }

    /// <summary>Held-out subjects that every system is asked for, 1 to 10,000.</summary>
    public required int Subjects { get; init => field = OptionCheck.Range(value, 1, 10_000, nameof(Subjects)); }

    /// <summary>Prompts for each subject, 1 to 100.</summary>
    public required int Prompts { get; init => field = OptionCheck.Range(value, 1, 100, nameof(Prompts)); }

    /// <summary>Grids that the teacher draws for each of the two sets of pairs, with varied prompts and with one template; 1 to 100,000.</summary>
    public required int Grids { get; init => field = OptionCheck.Range(value, 1, 100_000, nameof(Grids)); }

    /// <summary>Grids that the teacher draws for relighting, 1 to 100,000.</summary>
    public required int RelightGrids { get; init => field = OptionCheck.Range(value, 1, 100_000, nameof(RelightGrids)); }

    /// <summary>
    /// The share of grids whose prompts state every attribute of the subject that they have room for, 0 to 1. The others' state some, as captions do:
    /// their panels agree less
    /// often, and curation has more to do.
    /// </summary>
    public required double WholeSubjectShare { get; init => field = OptionCheck.Range(value, 0, 1, nameof(WholeSubjectShare)); }

    /// <summary>Euler steps of the teacher's grids, 1 to 1000.</summary>
    public required int GridSteps { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(GridSteps)); }

    /// <summary>
    /// The least share of grids that is kept, above 0 to 1: where the judge calls fewer the same, those on which it is surest are kept. The
    /// report says which of both applied.
    /// </summary>
    public required double LeastKeptShare { get; init => field = OptionCheck.Range(value, 1e-6, 1, nameof(LeastKeptShare)); }

    /// <summary>Optimiser steps of each trained system, at least 1.</summary>
    public required long Steps { get; init => field = OptionCheck.Range(value, 1, long.MaxValue, nameof(Steps)); }

    /// <summary>Pairs a step, at least 1.</summary>
    public required int Batch { get; init => field = OptionCheck.Range(value, 1, 65536, nameof(Batch)); }

    /// <summary>The largest learning rate.</summary>
    public required double LearningRate { get; init => field = OptionCheck.Range(value, 1e-12, 10, nameof(LearningRate)); }

    /// <summary>Rank of the adapters.</summary>
    public required int Rank { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Rank)); }

    /// <summary>The distilled guidance that the model is given, in drawing and in training. 0 to 100.</summary>
    public required float Guidance { get; init => field = OptionCheck.Range(value, 0f, 100f, nameof(Guidance)); }

    /// <summary>True guidance towards the reference, of every system that takes one, 0 to 100; 1 is none.</summary>
    public required float ImageGuidance { get; init => field = OptionCheck.Range(value, 0f, 100f, nameof(ImageGuidance)); }

    /// <summary>True guidance towards the prompt, of every system that takes a reference, 0 to 100; 1 is none.</summary>
    public required float TextGuidance { get; init => field = OptionCheck.Range(value, 0f, 100f, nameof(TextGuidance)); }

    /// <summary>Euler steps of the pictures that are measured, 1 to 1000.</summary>
    public required int DrawingSteps { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(DrawingSteps)); }

    /// <summary>Pictures that are drawn at once, and stand in one file; 1 to 1024.</summary>
    public required int DrawingBatch { get; init => field = OptionCheck.Range(value, 1, 1024, nameof(DrawingBatch)); }

    /// <summary>How a LoRA is tuned for each subject. Its seed and the steps of its drawings are the study's.</summary>
    public required SubjectLoraOptions SubjectLora { get; init; }

    /// <summary>The parts of a report that are measured: systems, and relighting. Null, the default, is all.</summary>
    public IReadOnlyList<string>? Systems
    {
        get;
        init => field = value?.FirstOrDefault(n => n != Relighting.Name && StudySystems.All.All(s => s.Name != n)) is { } unknown
            ? throw new ArgumentException($"Option {nameof(Systems)} names '{unknown}', which is neither a system nor '{Relighting.Name}'.")
            : value;
    }

    /// <summary>
    /// Whether <c>dsd</c> is the model's own student, with no further step, in place of one that is trained here. Default false. No other system's weights come
    /// with a model.
    /// </summary>
    public bool ModelsOwnStudent { get; init; }

    /// <summary>Settings of <see cref="SubjectLora"/> that are tried before, on other subjects; null, the default, takes it as it stands.</summary>
    public SubjectChoiceOptions? SubjectLoraChoice { get; init; }

    /// <summary>The full size: 200 subjects, 4 prompts each.</summary>
    public static string DefaultFile => Path.Combine(AppContext.BaseDirectory, "study.json");

    /// <summary>A small size, which two cores finish in minutes. It takes what comes with the model, and leaves out what it has no time to train.</summary>
    public static string QuickFile => Path.Combine(AppContext.BaseDirectory, "study-quick.json");

    /// <summary>Whether a system, or relighting, is measured.</summary>
    internal bool Includes(string name) => Systems is null || Systems.Contains(name);

    /// <summary>Systems, and relighting, that are not measured, in the order of the table.</summary>
    internal IReadOnlyList<string> LeftOut => [.. StudySystems.All.Select(s => s.Name).Append(Relighting.Name).Where(n => !Includes(n))];

    /// <summary>What every trained system may spend.</summary>
    internal StudyBudget Budget => new(Steps, Batch, LearningRate, Rank, Guidance, Seed);

    /// <summary>How a LoRA is tuned for each subject, with the study's seed and steps.</summary>
    internal SubjectLoraOptions SubjectTuning => SubjectLora with { Seed = Seed, DrawingSteps = DrawingSteps };

    /// <summary>Reads a config file; unknown and missing fields are refused.</summary>
    /// <exception cref="JsonException">The file is no such config; the message names file and field.</exception>
    public static StudyConfig Load(string file) => StudyJson.Load<StudyConfig>(file, "a study's config");

    /// <summary>Writes the config: whole, or not at all.</summary>
    public void Save(string file) => StudyJson.Save(file, this);
}
