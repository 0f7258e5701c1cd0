using System.Globalization;
using System.Text;
using System.Text.Json;
using Dsd.Common.Files;
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
        ContactSheet.Arrange([.. grids.Take(Shown / 2)], Columns / 2, Gap).Save(Path.Combine(folder, "sheets.png"));
        LookFiles.WriteSheet(folder, looks);
        AtomicFile.Write(Path.Combine(folder, "report.json"), stream => JsonSerializer.Serialize(stream, report, Json));
        string text = Markdown(report, [.. singleCaptions.Take(Shown)], [.. gridCaptions.Take(Shown / 2)]);
        AtomicFile.Write(Path.Combine(folder, "report.md"), stream => stream.Write(Encoding.UTF8.GetBytes(text)));
    }

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
