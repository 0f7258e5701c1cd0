using System.Text.Json.Serialization;

namespace Dsd.Lab.Measure;

/// <summary>What a teacher draws from captions of subjects that no training has seen, as the classifier reads it, and what the judge makes of it.</summary>
internal sealed record TeacherReport
{
    /// <summary>Subjects held out from training; of each one single picture and one grid of two panels was drawn.</summary>
    public required int Subjects { get; init; }

    /// <summary>Fixes subjects, contexts, captions and noise.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The guidance that the teacher was given.</summary>
    public required float Guidance { get; init; }

    /// <summary>Sampling steps a picture.</summary>
    public required int Steps { get; init; }

    /// <summary>The measure's own accuracy on drawings of held-out subjects: nothing below can be surer than this.</summary>
    public required IReadOnlyList<AttributeShare> Classifier { get; init; }

    /// <summary>Single pictures: in which share of those whose caption states it an attribute was drawn so.</summary>
    public required IReadOnlyList<AttributeShare> Singles { get; init; }

    /// <summary>Grids: in which share the two panels read the same in an identity attribute.</summary>
    public required IReadOnlyList<AttributeShare> Agreement { get; init; }

    /// <summary>The panels of grids: in which share of those whose caption states it an attribute was drawn so.</summary>
    public required IReadOnlyList<AttributeShare> Panels { get; init; }

    /// <summary>The share of grids whose panels read the same in every identity attribute.</summary>
    [JsonPropertyName("consistent_sheets")]
    public required double ConsistentGrids { get; init; }

    /// <summary>What right panels show of true pictures that left ones are held at.</summary>
    public required IReadOnlyList<LookFigures> LookingAcross { get; init; }

    /// <summary>The judge against the truth, on drawn pairs of held-out subjects.</summary>
    public required JudgeFigures JudgeOnDrawings { get; init; }

    /// <summary>The judge against the classifier's reading, on the teacher's grids.</summary>
    [JsonPropertyName("judge_on_sheets")]
    public JudgeFigures JudgeOnGrids => JudgeOverConfidence[0].Figures;

    /// <summary>The same where more and more confidence is asked for, the judge's own threshold first.</summary>
    [JsonPropertyName("judge_on_sheets_over_confidence")]
    public required IReadOnlyList<JudgeAtConfidence> JudgeOverConfidence { get; init; }

    /// <summary>The mean of <see cref="Classifier"/> over the attributes.</summary>
    public double ClassifierMean => Mean(Classifier);

    /// <summary>The mean of <see cref="Singles"/> over the attributes.</summary>
    public double SinglesMean => Mean(Singles);

    /// <summary>The mean of <see cref="Panels"/> over the attributes.</summary>
    public double PanelsMean => Mean(Panels);

    /// <summary>The mean share of identity attributes in which the two panels of a grid agree.</summary>
    public double AgreementMean => Mean(Agreement);

    private static double Mean(IReadOnlyList<AttributeShare> shares) =>
        shares.Where(s => s.Share is not null).Select(s => s.Share!.Value).DefaultIfEmpty().Average();
}
