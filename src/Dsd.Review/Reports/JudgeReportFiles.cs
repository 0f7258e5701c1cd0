using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Files;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Reports;

/// <summary>
/// Writes a report on judges as files: <c>report.md</c>, <c>report.json</c> and, where pairs of both kinds were looked at, the plot
/// <c>precision-recall.png</c>.
/// </summary>
public static class JudgeReportFiles
{
    private const string Markdown = "report.md";
    private const string Data = "report.json";
    private const string Plot = "precision-recall.png";
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        WriteIndented = true,
    };

    /// <summary>Writes the files into a folder, all of them or none. An earlier report there is replaced.</summary>
    /// <exception cref="IOException">The folder holds other files, or cannot be written.</exception>
    public static void Write(JudgeReport report, string folder)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        AtomicFolder.Write(folder, RequireReport, half =>
        {
            File.WriteAllText(Path.Combine(half, Data), JsonSerializer.Serialize(report, Json));
            File.WriteAllText(Path.Combine(half, Markdown), Text(report));
            if (report.Judgement.Thresholds.Count > 0)
            {
                File.WriteAllBytes(Path.Combine(half, Plot), PrecisionRecallPlot.Png(report.Judgement));
            }
        });
    }

    private static void RequireReport(string folder)
    {
        string? other = Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).FirstOrDefault(n => n is not (Markdown or Data or Plot));
        if (other is not null)
        {
            throw new IOException(
                $"Cannot write the report to '{folder}': the folder holds other files, such as '{other}'. Choose an empty one, or one with an earlier report.");
        }
    }

    private static string Text(JudgeReport report)
    {
        LedgerOutcomes all = report.Outcomes;
        LedgerAgreement counts = report.Judgement.Counts;
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Judges, measured by people

            The run judged {all.Pairs} pairs: {all.Kept} kept, {all.Rejected} rejected, {all.Undecided} undecided. People looked at {counts.Reviewed} of them.
            Shares are given with Wilson's 95 % interval and the counts behind them. A pair on which a judge could not be understood counts as not kept.

            | judge | pairs looked at | agreement | precision | recall | F1 |
            | --- | --- | --- | --- | --- | --- |

            """);
        foreach (JudgeScore score in (JudgeScore[])[report.Judgement, .. report.Judges])
        {
            string name = score == report.Judgement ? "the whole judgement" : $"`{Cell(score.Judge)}`";
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {name} | {score.Counts.Reviewed} | {Share(score.Agreement)} | {Share(score.Precision)} | {Share(score.Recall)} | {Share(score.F1)} |\n");
        }
        text.Append('\n').Append(Caution(report)).Append('\n');
        if (report.Unreadable.Count > 0)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"\n**Not all of the ledger could be read.** {Cell(report.Unreadable.ToString())} Pairs that need them are not measured by.\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"""

            ## The whole judgement

            | | people keep | people do not |
            | --- | --- | --- |
            | judge keeps | {counts.BothKept} | {counts.JudgeOnly} |
            | judge does not | {counts.PersonOnly} | {counts.NeitherKept} |

            """);
        if (report.Judgement.Thresholds.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"""

                ## Other thresholds

                What a threshold on the confidence alone would do to the pairs looked at. Flags are not heeded here, so a run that rejects by flags keeps fewer.

                ![Precision (blue, solid) and recall (orange, dashed) over the least confidence of a kept pair; bands are 95 % intervals]({Plot})

                | least confidence | precision | recall |
                | --- | --- | --- |

                """);
            foreach (ThresholdPoint point in report.Judgement.Thresholds.Where((_, i) => i % 10 == 0))
            {
                text.Append(CultureInfo.InvariantCulture, $"| {point.Threshold:0.0} | {Share(point.Precision)} | {Share(point.Recall)} |\n");
            }
        }
        if (report.Axes is { } axes)
        {
            text.Append(CultureInfo.InvariantCulture, $"""

                ## Scores by axes

                What the least score on one axis alone would do to the {axes.Reviewed} pairs that were looked at and have scores. A threshold of 0 keeps all.

                | axis | least score | precision | recall |
                | --- | --- | --- | --- |

                """);
            foreach (AxisPoint point in axes.Points)
            {
                string best = axes.Best.TryGetValue(point.Axis, out int least) && least == point.Least && least > 0 ? " (best F1)" : "";
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {JsonNamingPolicy.SnakeCaseLower.ConvertName(point.Axis.ToString())} | {point.Least} "
                    + $"| {Share(point.Precision)} | {Share(point.Recall)}{best} |\n");
            }
        }
        return text.ToString();
    }

    private static string Caution(JudgeReport report)
    {
        LedgerAgreement counts = report.Judgement.Counts;
        return report.Judgement.Side switch
        {
            ReviewedSide.None => "Nobody has looked at a pair yet, so there is nothing to measure by.",
            ReviewedSide.KeptOnly =>
                "**One-sided:** only pairs that the judge kept were looked at. That gives its precision; what it missed is not known, "
                + "so there is no recall and no F1. Look at rejected pairs too.",
            ReviewedSide.LeftOnly =>
                "**One-sided:** only pairs that the judge did not keep were looked at. Of what it kept nothing is known, so there is no precision, "
                + "no recall and no F1. Look at kept pairs too.",
            _ => string.Create(
                CultureInfo.InvariantCulture,
                $"Recall and F1 above hold for the pairs looked at: {counts.JudgeKept} of {report.Outcomes.Kept} kept ones and {counts.JudgeLeft} of "
                + $"{report.Outcomes.Rejected + report.Outcomes.Undecided} others. Weighted by how many of each\nthe run has, recall over the whole run is "
                + $"{Share(report.RunRecall)}, if the pairs of each kind that were looked at were picked by chance."),
        };
    }

    private static string Share(Proportion share) =>
        share.Value is { } value
            ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.0} % ({100 * share.Low:0.0} to {100 * share.High:0.0}; {share.Hits} of {share.Of})")
            : "not known";

    private static string Share(Estimate? estimate) =>
        estimate is null
            ? "not known"
            : string.Create(CultureInfo.InvariantCulture, $"{100 * estimate.Value:0.0} % ({100 * estimate.Low:0.0} to {100 * estimate.High:0.0})");

    // A judge's name comes from a ledger: it must stay in its cell.
    private static string Cell(string name) => new([.. name.Select(c => c is '|' or '`' or '<' or '>' || char.IsControl(c) ? ' ' : c)]);
}
