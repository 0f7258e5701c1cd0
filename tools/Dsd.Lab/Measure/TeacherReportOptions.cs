using Dsd.Common.Options;
using Dsd.Tiny;
using static TorchSharp.torch;

namespace Dsd.Lab.Measure;

/// <summary>What a teacher's report is made of.</summary>
internal sealed record TeacherReportOptions
{
    private const int MostLookSubjects = 200;

    /// <summary>The model: a pipeline folder with a judge and a classifier in it.</summary>
    public required string ModelFolder { get; init; }

    /// <summary>The folder for <c>report.json</c>, <c>report.md</c> and the picture sheets.</summary>
    public required string OutFolder { get; init; }

    /// <summary>
    /// The folder of another classifier, trained from another seed, that is put in the judge's place: as far as two classifiers agree, a judge can be right.
    /// Null, the default: none.
    /// </summary>
    public string? SecondClassifier { get; init; }

    /// <summary>Where to compute. Default the CPU.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Side of a panel in pixels. Default <see cref="TinyModel.PanelSize"/>.</summary>
    public int PanelSize { get; init => field = OptionCheck.Range(value, 16, 2048, nameof(PanelSize)); } = TinyModel.PanelSize;

    /// <summary>Held-out subjects, 2 to 10,000. Default 400.</summary>
    public int Subjects { get; init => field = OptionCheck.Range(value, 2, 10_000, nameof(Subjects)); } = 400;

    /// <summary>Held-out subjects that left panels are held at, to see whether right ones follow: as many, but 200 at most.</summary>
    public int LookSubjects => Math.Min(Subjects, MostLookSubjects);

    /// <summary>Pairs of drawings that the judge is confronted with, and pictures for the classifier's own accuracy, 2 to 100,000. Default 2000.</summary>
    public int Drawings { get; init => field = OptionCheck.Range(value, 2, 100_000, nameof(Drawings)); } = 2000;

    /// <summary>
    /// The share of the grids whose captions state every attribute of the subject, 0 to 1. Default 0: captions of grids leave many open. The grids that
    /// students learn from are drawn from captions that state all.
    /// </summary>
    public double WholeSubjectShare { get; init => field = OptionCheck.Range(value, 0, 1, nameof(WholeSubjectShare)); }

    /// <summary>Sampling steps a picture, 1 to 1000. Default 28.</summary>
    public int Steps { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(Steps)); } = 28;

    /// <summary>The guidance that the teacher is given, 0 to 100. Default 3.5.</summary>
    public float Guidance { get; init => field = OptionCheck.Range(value, 0f, 100f, nameof(Guidance)); } = 3.5f;

    /// <summary>Pictures drawn at once, 1 to 1024. Default 128.</summary>
    public int Batch { get; init => field = OptionCheck.Range(value, 1, 1024, nameof(Batch)); } = 128;

    /// <summary>Fixes subjects, contexts, captions and noise. Default 1.</summary>
    public ulong Seed { get; init; } = 1;
}
