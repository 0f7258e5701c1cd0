using System.Globalization;
using System.Text;
using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Evaluation.Metrics;
using Dsd.Imaging;

namespace Dsd.Lab.Measure;

/// <summary>Writes a teacher's report for people and for programs, with pictures.</summary>
internal static class TeacherReportFiles
{
    // How many pictures a contact sheet shows; their captions stand in the report.
    private const int Shown = 48;
    private const int Columns = 8;
    private const int Gap = 4;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static void Write(
        string folder, TeacherReport report, IReadOnlyList<Picture> singles, IReadOnlyList<Picture> grids, IReadOnlyList<Picture> looks,
        IReadOnlyList<string> singleCaptions, IReadOnlyList<string> gridCaptions)
    {
        Directory.CreateDirectory(folder);
        ContactSheet.Arrange([.. singles.Take(Shown)], Columns, Gap).Save(Path.Combine(folder, "singles.png"));
        SaveGrids(folder, grids);
        LookFiles.WriteSheet(folder, looks);
        AtomicFile.Write(Path.Combine(folder, "report.json"), stream => JsonSerializer.Serialize(stream, report, Json));
        string text = Markdown(report, [.. singleCaptions.Take(Shown)], [.. gridCaptions.Take(Shown / 2)]);
        AtomicFile.Write(Path.Combine(folder, "report.md"), stream => stream.Write(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>Writes what the judge makes of the teacher's grids, alone.</summary>
    public static void WriteJudge(
        TeacherReportOptions options, IReadOnlyList<JudgeAtConfidence> judged, JudgeFigures? secondClassifier, IReadOnlyList<Picture> grids)
    {
        Directory.CreateDirectory(options.OutFolder);
        SaveGrids(options.OutFolder, grids);
        LookFiles.WriteJson(Path.Combine(options.OutFolder, "judge.json"), judged);
        string[] lines =
        [
            "# The judge on the teacher's own grids",
            "",
            $"{options.Subjects} grids of subjects held out from training, seed {options.Seed}, guidance {Number(options.Guidance, "0.##")}, {options.Steps} "
                + $"steps; {Share(options.WholeSubjectShare)} of the captions state the whole subject.",
            "",
            .. JudgeTable(judged),
            "",
            .. SecondClassifier(secondClassifier),
            "![Grids, row by row](sheets.png)",
        ];
        AtomicFile.Write(
            Path.Combine(options.OutFolder, "judge.md"), stream => stream.Write(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")))));
    }

    private static IEnumerable<string> SecondClassifier(JudgeFigures? figures)
    {
        if (figures is not null)
        {
            yield return $"Another classifier in the judge's place keeps {figures.Kept}, of which {figures.Right} are of one subject: precision "
                + $"{Between(figures.PrecisionInterval)}, recall {Between(figures.RecallInterval)}. So far do two classifiers agree.";
            yield return "";
        }
    }

    /// <summary>Precision and recall over the confidence that is asked for.</summary>
    private static IEnumerable<string> JudgeTable(IReadOnlyList<JudgeAtConfidence> judged)
    {
        JudgeFigures own = judged[0].Figures;
        yield return $"Of {own.Pairs} grids the classifier reads both panels of {own.Same} the same in every identity attribute: these are *of one subject*.";
        yield return $"Kept are those that the judge calls the same with at least the confidence; without one its own threshold, "
            + $"{Number(own.Threshold, "0.####")}, decides.";
        yield return $"Curation asks for {Number(JudgeCheck.CurationConfidence, "0.##")} by default. In brackets Wilson's 95 % intervals.";
        yield return "";
        yield return "| least confidence | kept | of one subject | precision | recall |";
        yield return "| --- | --- | --- | --- | --- |";
        foreach ((double least, JudgeFigures figures) in judged)
        {
            yield return $"| {(least == 0 ? "–" : Number(least, "0.##"))} | {figures.Kept} | {figures.Right} | {Between(figures.PrecisionInterval)} | "
                + $"{Between(figures.RecallInterval)} |";
        }
    }

    private static void SaveGrids(string folder, IReadOnlyList<Picture> grids) =>
        ContactSheet.Arrange([.. grids.Take(Shown / 2)], Columns / 2, Gap).Save(Path.Combine(folder, "sheets.png"));

    private static string Between(Interval? share) => share is { } s ? $"{Share(s.Mean)} ({Share(s.Low)} – {Share(s.High)})" : "–";

    private static string Markdown(TeacherReport report, string[] singleCaptions, string[] gridCaptions)
    {
        StringBuilder text = new();
        Line("# What the teacher draws");
        Line("");
        Line($"{report.Subjects} subjects held out from training, seed {report.Seed}, guidance {Number(report.Guidance, "0.##")}, {report.Steps} steps.");
        Line("Single pictures and panels: share of the pictures whose caption states the attribute that show it. Agreement: share of grids whose two");
        Line("panels show the same value. Classifier: its own share of right values on drawings of held-out subjects.");
        Line("");
        Line("| attribute | single pictures | panels of grids | agreement in grids | classifier |");
        Line("| --- | --- | --- | --- | --- |");
        for (int i = 0; i < report.Singles.Count; i++)
        {
            double? agreement = i < report.Agreement.Count ? report.Agreement[i].Share : null;
            Line($"| {report.Singles[i].Attribute.Replace('_', ' ')} | {Share(report.Singles[i].Share)} | {Share(report.Panels[i].Share)} | "
                + $"{Share(agreement)} | {Share(report.Classifier[i].Share)} |");
        }
        Line($"| **mean** | {Share(report.SinglesMean)} | {Share(report.PanelsMean)} | {Share(report.AgreementMean)} | {Share(report.ClassifierMean)} |");
        Line("");
        Line($"Grids whose panels agree in all identity attributes: {Share(report.ConsistentGrids)}.");
        Line("");
        foreach (string line in LookText.Section(report.LookingAcross))
        {
            Line(line);
        }
        Line("## The judge");
        Line("");
        Line("At its default threshold. Drawings: against the truth, half of the pairs with one to three attributes changed. Grids: the teacher's, against");
        Line("the classifier's reading.");
        Line("");
        Line("| pairs | threshold | number | of one subject | kept | precision | recall |");
        Line("| --- | --- | --- | --- | --- | --- | --- |");
        Judge("drawings", report.JudgeOnDrawings);
        Judge("grids", report.JudgeOnGrids);
        Line("");
        Line($"Of the differences that it names between changed drawings {Share(report.JudgeOnDrawings.TruthOfReasons)} are true word for word; for "
            + $"{Share(report.JudgeOnDrawings.ExplainedShare)} of");
        Line("the changed pairs it names at least one true difference.");
        Line("");
        Line("### On the teacher's own grids, over the confidence");
        Line("");
        foreach (string line in JudgeTable(report.JudgeOverConfidence))
        {
            Line(line);
        }
        Line("");
        Pictures("Single pictures", "singles.png", singleCaptions);
        Pictures("Grids", "sheets.png", gridCaptions);
        return text.ToString();

        void Line(string line) => text.Append(line).Append('\n');

        void Judge(string pairs, JudgeFigures figures) => Line(
            $"| {pairs} | {Number(figures.Threshold, "0.####")} | {figures.Pairs} | {figures.Same} | {figures.Kept} | {Share(figures.Precision)} | "
                + $"{Share(figures.Recall)} |");

        void Pictures(string title, string file, string[] captions)
        {
            Line($"## {title}");
            Line("");
            Line($"![{title}, row by row]({file})");
            Line("");
            for (int i = 0; i < captions.Length; i++)
            {
                Line($"{i + 1}. {captions[i]}");
            }
            Line("");
        }
    }

    private static string Share(double? share) => share is { } s ? Number(100 * s, "0.0") + " %" : "–";

    private static string Number(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
