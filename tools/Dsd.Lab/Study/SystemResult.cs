using System.Text.Json;
using Dsd.Evaluation.Metrics;
using Dsd.Lab.Measure;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study;

/// <summary>What was measured of a system: the content of its <c>result.json</c>.</summary>
internal sealed record SystemResult
{
    /// <summary>The system's name.</summary>
    public required string System { get; init; }

    /// <summary>Concept preservation of each subject: the mean over its pictures.</summary>
    public required IReadOnlyList<double> CpBySubject { get; init; }

    /// <summary>Prompt following of each subject: the mean over its pictures.</summary>
    public required IReadOnlyList<double> PfBySubject { get; init; }

    /// <summary>
    /// In which share of the pictures each identity attribute was the subject's, and each context attribute, where the prompt states it, the
    /// prompt's.
    /// </summary>
    public required IReadOnlyList<AttributeShare> Attributes { get; init; }

    /// <summary>Grids that it learned from; null where it does not learn from any.</summary>
    public int? Pairs { get; init; }

    /// <summary>Of the grids that were drawn for it the share that it learned from.</summary>
    public double? KeptShare { get; init; }

    /// <summary>Of its grids the share whose panels read the same in every identity attribute.</summary>
    public double? Purity { get; init; }

    /// <summary>Concept preservation with its 95 % interval over subjects.</summary>
    internal Interval Cp => Interval.Bootstrap(CpBySubject, new WorldRandom(1).Next);

    /// <summary>Prompt following with its 95 % interval over subjects.</summary>
    internal Interval Pf => Interval.Bootstrap(PfBySubject, new WorldRandom(2).Next);

    /// <summary>CP and PF with their intervals, as one line of a log.</summary>
    internal string Scores
    {
        get
        {
            (Interval cp, Interval pf) = (Cp, Pf);
            return FormattableString.Invariant(
                $"CP {cp.Mean:F3} ({cp.Low:F3} to {cp.High:F3}), PF {pf.Mean:F3} ({pf.Low:F3} to {pf.High:F3})");
        }
    }

    /// <summary>Reads a result.</summary>
    /// <exception cref="JsonException">The file holds none; the message names it.</exception>
    public static SystemResult Load(string file) =>
        StudyJson.Load<SystemResult>(file, "what was measured of a system; delete the file to have it measured again");

    /// <summary>Writes the result: whole, or not at all.</summary>
    public void Save(string file) => StudyJson.Save(file, this);
}
