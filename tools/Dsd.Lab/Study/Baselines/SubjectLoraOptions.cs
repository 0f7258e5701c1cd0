using System.Globalization;
using Dsd.Common.Options;

namespace Dsd.Lab.Study.Baselines;

/// <summary>How <see cref="SubjectLoraSystem"/> tunes and draws.</summary>
internal sealed record SubjectLoraOptions
{
    /// <summary>Optimiser steps for each subject, at least 1. Default 300.</summary>
    public long Steps { get; init => field = OptionCheck.Range(value, 1, 1_000_000, nameof(Steps)); } = 300;

    /// <summary>Samples of the reference in a step of one subject, at noise levels of their own, at least 1. Default 4.</summary>
    public int SamplesPerStep { get; init => field = OptionCheck.Range(value, 1, 256, nameof(SamplesPerStep)); } = 4;

    /// <summary>Subjects that are tuned or drawn at once, at least 1. It decides the memory, not the result. Default 50.</summary>
    public int SubjectsAtOnce { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(SubjectsAtOnce)); } = 50;

    /// <summary>The largest learning rate; it falls along half a cosine. Default 2e-3.</summary>
    public double LearningRate { get; init => field = OptionCheck.Range(value, 1e-12, 10, nameof(LearningRate)); } = 2e-3;

    /// <summary>Rank of each subject's adapter, 1 to 4096. Default 8.</summary>
    public int Rank { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Rank)); } = 8;

    /// <summary>The distilled guidance that the model is given in tuning. 0 to 100, default 3.5.</summary>
    public float TrainingGuidance { get; init => field = OptionCheck.Range(value, 0f, 100f, nameof(TrainingGuidance)); } = 3.5f;

    /// <summary>
    /// Views of the reference that are learned from: itself, and cuts that move and enlarge it a little. None is mirrored, since captions
    /// state left and right. At least 1, default 8.
    /// </summary>
    public int Views { get; init => field = OptionCheck.Range(value, 1, 256, nameof(Views)); } = 8;

    /// <summary>Wordings of the reference's caption that are learned from, at least 1. Default 8.</summary>
    public int Wordings { get; init => field = OptionCheck.Range(value, 1, 256, nameof(Wordings)); } = 8;

    /// <summary>Samples a step of what the teacher draws of other subjects, so that it forgets less (prior preservation). 0, the default, is none.</summary>
    public int PriorSamples { get; init => field = OptionCheck.Range(value, 0, 256, nameof(PriorSamples)); }

    /// <summary>
    /// Whether prompts say of the subject what the reference's caption says, behind the rare word. <c>text</c> is told as much; a prompt of the word alone
    /// leaves all of it to the factors. Default true.
    /// </summary>
    public bool Described { get; init; } = true;

    /// <summary>How strongly the factors act in drawing: 1, the default, as they were tuned. 0 to 4.</summary>
    public float Scale { get; init => field = OptionCheck.Range(value, 0f, 4f, nameof(Scale)); } = 1f;

    /// <summary>Euler steps of a drawing, 1 to 1000. Default 28.</summary>
    public int DrawingSteps { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(DrawingSteps)); } = 28;

    /// <summary>The distilled guidance that the model is given in drawing. 0 to 100, default 3.5.</summary>
    public float DrawingGuidance { get; init => field = OptionCheck.Range(value, 0f, 100f, nameof(DrawingGuidance)); } = 3.5f;

    /// <summary>True guidance <c>u + t·(c − u)</c> away from the empty prompt, both with the subject's adapter. 1 is none. 0 to 100, default 3.</summary>
    public float TextGuidance { get; init => field = OptionCheck.Range(value, 0f, 100f, nameof(TextGuidance)); } = 3f;

    /// <summary>Where views, wordings, noise and new weights start. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>What decides the tuned factors, as text: two runs with the same text give the same factors for the same subjects.</summary>
    internal string Tuning =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"steps {Steps}, samples {SamplesPerStep}, rate {LearningRate}, rank {Rank}, guidance {TrainingGuidance}, views {Views}, wordings "
                + $"{Wordings}, prior {PriorSamples}, {(Described ? "described" : "the word alone")}, seed {Seed}");
}
