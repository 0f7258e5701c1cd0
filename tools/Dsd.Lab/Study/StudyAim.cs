using System.Globalization;
using Dsd.Evaluation.Metrics;
using Dsd.Lab.Study.Baselines;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study;

/// <summary>Something that the study was to show, and whether it does.</summary>
/// <param name="Text">The aim.</param>
/// <param name="Met">Whether it is met.</param>
/// <param name="Found">The figures, with by how much.</param>
internal sealed record StudyAim(string Text, bool Met, string Found)
{
    private const double Close = 0.03;
    private const double Wide = 0.15;
    private const double Faster = 1000;

    /// <summary>All aims whose systems were measured, from the systems' results and timings by name.</summary>
    public static IReadOnlyList<StudyAim> Of(IReadOnlyDictionary<string, (SystemResult Result, SystemTiming Timing)> systems)
    {
        if (!systems.TryGetValue(StudySystems.TheMethod, out (SystemResult Result, SystemTiming Timing) dsd))
        {
            return [];
        }
        List<StudyAim> aims = [];
        if (systems.TryGetValue(SubjectLoraSystem.Name, out (SystemResult Result, SystemTiming Timing) tuned))
        {
            aims.AddRange(AgainstTuning(dsd, tuned));
        }
        if (systems.TryGetValue("text", out (SystemResult Result, SystemTiming Timing) text))
        {
            aims.Add(AgainstText(dsd.Result, text.Result));
        }
        foreach (string other in (string[])["dsd_uncurated", "dsd_random"])
        {
            if (systems.TryGetValue(other, out (SystemResult Result, SystemTiming Timing) grids))
            {
                aims.Add(AgainstOtherGrids(dsd.Result, grids.Result));
            }
        }
        return aims;
    }

    private static IReadOnlyList<StudyAim> AgainstTuning((SystemResult Result, SystemTiming Timing) dsd, (SystemResult Result, SystemTiming Timing) tuned)
    {
        Interval cp = Difference(dsd.Result.CpBySubject, tuned.Result.CpBySubject);
        Interval pf = Difference(dsd.Result.PfBySubject, tuned.Result.PfBySubject);
        (SystemTiming dsdTime, SystemTiming tunedTime) = (dsd.Timing, tuned.Timing);
        double ratio = tunedTime.PreparationSeconds / dsdTime.PreparationSeconds;
        return
        [
            new("CP of dsd within 0.03 of the per-subject LoRA's, or above it", cp.Mean >= -Close, $"difference {Signed(cp)}{Short(-Close - cp.Mean)}"),
            new("PF of dsd at least the per-subject LoRA's", pf.Mean >= 0, $"difference {Signed(pf)}{Short(-pf.Mean)}"),
            new(
                "dsd at under a thousandth of the per-subject LoRA's seconds per subject",
                ratio > Faster,
                $"{Number(dsdTime.PreparationSeconds, "0.####")} s against {Number(tunedTime.PreparationSeconds, "0.#")} s, one in "
                    + $"{Number(ratio, "0")}; with one picture {Number(dsdTime.PreparationSeconds + dsdTime.SecondsPerPicture, "0.##")} s against "
                        + $"{Number(tunedTime.PreparationSeconds + tunedTime.SecondsPerPicture, "0.#")} s"),
        ];
    }

    private static StudyAim AgainstText(SystemResult dsd, SystemResult text)
    {
        Interval cp = Difference(dsd.CpBySubject, text.CpBySubject);
        return new(
            "CP of dsd above text alone by a wide margin: at least 0.15, intervals apart",
            cp.Mean >= Wide && dsd.Cp.Low > text.Cp.High,
            $"difference {Signed(cp)}{Short(Wide - cp.Mean)}; {Ends(dsd.Cp.Low, text.Cp.High)}");
    }

    private static StudyAim AgainstOtherGrids(SystemResult dsd, SystemResult other)
    {
        Interval cp = Difference(dsd.CpBySubject, other.CpBySubject);
        return new(
            $"CP of dsd above {other.System}, intervals apart",
            dsd.Cp.Low > other.Cp.High,
            $"difference {Signed(cp)}; {Ends(dsd.Cp.Low, other.Cp.High)}{Short(other.Cp.High - dsd.Cp.Low)}");
    }

    /// <summary>The mean difference over the same subjects, with its own interval.</summary>
    public static Interval Difference(IReadOnlyList<double> one, IReadOnlyList<double> other) =>
        Interval.Bootstrap([.. one.Zip(other).Select(p => p.First - p.Second)], new WorldRandom(4).Next);

    private static string Ends(double low, double high) => $"lower end {Number(low, "0.000")}, the other's upper end {Number(high, "0.000")}";

    private static string Short(double missing) => missing > 0 ? $"; short by {Number(missing, "0.000")}" : "";

    private static string Signed(Interval i) => $"{Signed(i.Mean)} ({Signed(i.Low)} to {Signed(i.High)})";

    private static string Signed(double number) => Number(Math.Round(number, 3), "+0.000;-0.000;0.000");

    private static string Number(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
