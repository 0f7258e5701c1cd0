using System.Globalization;
using Dsd.Evaluation.Metrics;
using Dsd.Lab.Measure;

namespace Dsd.Lab.Study;

/// <summary>The study's results as text: tables and sentences that markdown and HTML share.</summary>
internal sealed class StudyTables
{
    private readonly StudyConfig _config;
    private readonly RelightResult[] _relight;
    private readonly SystemResult[] _results;

    public StudyTables(StudyConfig config, StudySystem[] systems, SystemResult[] results, SystemTiming[] timings, StudyRow[] rows, RelightResult[] relight,
        string? choice)
    {
        (_config, _results, _relight, Choice) = (config, results, relight, choice);
        Names = [.. systems.Select(s => s.Name)];
        Aims = StudyAim.Of(results.Zip(timings).ToDictionary(p => p.First.System, p => p));
        Systems =
        [
            ["system", "what it shows", "CP", "PF", "seconds per subject", "seconds per picture", "started from", "steps here", "grids learned from",
                "share kept", "data purity"],
            .. Enumerable.Range(0, systems.Length).Select(i => new[]
            {
                systems[i].Name,
                systems[i].Shows,
                Text(results[i].Cp),
                Text(results[i].Pf),
                Number(rows[i].SecondsPerSubject, "0.####"),
                Number(timings[i].SecondsPerPicture, "0.00"),
                rows[i].StartedFrom,
                Number(rows[i].Steps, "0"),
                results[i].Pairs?.ToString(CultureInfo.InvariantCulture) ?? "–",
                Percent(results[i].KeptShare),
                Percent(results[i].Purity),
            }),
        ];
    }

    public IReadOnlyList<string> Names { get; }

    public IReadOnlyList<StudyAim> Aims { get; }

    /// <summary>The systems, a heading first.</summary>
    public IReadOnlyList<string[]> Systems { get; }

    /// <summary>The shares of each attribute, a heading first.</summary>
    public IReadOnlyList<string[]> Attributes => AttributesOf(Names, [.. _results.Select(r => r.Attributes)]);

    /// <summary>Whether relighting was measured.</summary>
    public bool Relights => _relight.Length > 0;

    /// <summary>Relighting, a heading first.</summary>
    public IReadOnlyList<string[]> Relight =>
    [
        ["system", "identity kept", "structure kept", "asked light found", "pixels off, of 255"],
        .. _relight.Select(r => new[] { r.System, Text(r.Identity), Text(r.Structure), Text(r.Light), Text(r.PixelError, "0.0") }),
    ];

    /// <summary>What was done, in a sentence or two.</summary>
    public string Setting =>
        $"{_config.Subjects} subjects held out from training, {_config.Prompts} prompts each, seed {_config.Seed}. "
            + (_results.Any(r => r.Pairs is not null)
                ? $"Every system that learns from pairs takes {_config.Steps} steps of {_config.Batch} examples with rank {_config.Rank}; {_config.Grids} "
                    + "grids were drawn, two examples each. "
                : "")
            + $"Pictures take {_config.DrawingSteps} sampling steps.";

    /// <summary>What was not measured, and why; null where all was.</summary>
    public string? LeftOut => _config.LeftOut.Count == 0
        ? null
        : $"Left out: {string.Join(", ", _config.LeftOut)}. No weights of theirs come with the model, and with as few steps as there is time for here their "
            + "figures would say how little they were trained, not what they can do. The full study has them.";

    /// <summary>How the per-subject LoRA's setting was chosen; null where it was not.</summary>
    public string? Choice { get; }

    /// <summary>How to read CP and PF.</summary>
    public static string ScoresReading =>
        "CP, concept preservation, is the share of the subject's nine identity attributes that the classifier finds; PF, prompt following, the share of "
            + "the context attributes that the prompt states. In brackets the 95 % interval, a bootstrap over subjects.";

    /// <summary>How to read the systems' table.</summary>
    public static string Reading => ScoresReading + " Seconds per subject are what must be spent once on every new subject, the drawing "
            + "not counted: tuning, or encoding its reference. "
        + "Seconds per picture are those of one picture asked for alone. Data purity is the share of grids whose two panels the classifier reads the "
            + "same in all identity attributes.";

    /// <summary>How to read the table of relighting.</summary>
    public static string RelightReading =>
        "Each subject is asked for in every light but the reference's. Structure is the share of scene, pose, placement and scale found. Yardsticks: "
            + "`copy` is the reference unchanged, `text` the teacher from text with all that "
        + "the reference's caption says. Pixels off is the mean absolute difference from the true drawing under that light.";

    /// <summary>What the curator did, counted with the classifier's reading as the truth; null where none of its grids were learned from.</summary>
    public string? Judge
    {
        get
        {
            (SystemResult? all, SystemResult? kept) =
                (_results.SingleOrDefault(r => r.System == "dsd_uncurated"), _results.SingleOrDefault(r => r.System == StudySystems.TheMethod));
            if (all is null || kept?.Pairs is null)
            {
                return null;
            }
            double pure = all.Pairs!.Value * all.Purity!.Value;
            double? recall = pure == 0 ? null : kept.Pairs!.Value * kept.Purity!.Value / pure;
            return $"The judge kept {kept.Pairs} of {all.Pairs} grids: precision {Percent(kept.Purity)}, recall {Percent(recall)} against the "
                + $"classifier's reading, where {Percent(all.Purity)} of all grids agree in every identity attribute.";
        }
    }

    /// <summary>The shares of each attribute, a heading first and a column for each name.</summary>
    public static IReadOnlyList<string[]> AttributesOf(IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<AttributeShare>> shares) =>
    [
        ["attribute", .. names],
        .. shares[0].Select((a, i) => new[] { a.Attribute.Replace('_', ' ') }.Concat(shares.Select(s => Percent(s[i].Share))).ToArray()),
    ];

    /// <summary>A mean with its interval in brackets.</summary>
    public static string Text(Interval i, string format = "0.000") => $"{Number(i.Mean, format)} ({Number(i.Low, format)} – {Number(i.High, format)})";

    private static string Percent(double? share) => share is { } s ? Number(100 * s, "0.0") + " %" : "–";

    private static string Number(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
