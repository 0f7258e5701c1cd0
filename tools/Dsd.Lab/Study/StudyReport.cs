using System.Text;
using Dsd.Common.Files;
using Dsd.Imaging;

namespace Dsd.Lab.Study;

/// <summary>Puts the parts' results together: <c>results.json</c>, <c>relighting.json</c>, picture sheets, <c>results.md</c> and <c>report.html</c>.</summary>
internal static class StudyReport
{
    private const int MostShown = 12;
    public const int Gap = 4;

    public static void Write(StudyContext context)
    {
        StudySystem[] systems = [.. StudySystems.Of(context.Config)];
        SystemResult[] results = [.. systems.Select(s => SystemResult.Load(Path.Combine(context.SystemFolder(s.Name), "result.json")))];
        SystemTiming[] timings = [.. systems.Select(s => SystemTiming.Load(Path.Combine(context.SystemFolder(s.Name), "timing.json")))];
        bool relights = context.Config.Includes(Relighting.Name);
        RelightResult[] relight = relights
            ? StudyJson.Load<RelightResult[]>(
                Path.Combine(context.SystemFolder(Relighting.Name), "result.json"), "relighting's results; delete the file to have them measured again")
            : [];
        StudyRow[] rows = [.. systems.Select((s, i) => StudyRow.Of(results[i], timings[i], s.StartedFrom(context), s.Steps(context)))];
        StudyJson.Save(Path.Combine(context.OutFolder, "results.json"), rows);

        IReadOnlyList<StudyCase> cases = context.Cases();
        DrawGrids(context, systems, cases);
        if (relights)
        {
            StudyJson.Save(Path.Combine(context.OutFolder, "relighting.json"), relight);
            DrawRelighting(context);
        }
        StudyTables tables = new(context.Config, systems, results, timings, rows, relight, SubjectSystem.Choice(context));
        StudyCase[] shown = [.. Shown(cases, context.Config.Prompts).Select(i => cases[i])];
        AtomicFile.Write(Path.Combine(context.OutFolder, "results.md"), stream => stream.Write(Encoding.UTF8.GetBytes(StudyMarkdown.Write(tables, shown))));
        AtomicFile.Write(Path.Combine(context.OutFolder, "report.html"),
            stream => stream.Write(Encoding.UTF8.GetBytes(StudyHtml.Write(tables, shown, context.OutFolder))));
        context.Log($"results: {Path.Combine(context.OutFolder, "results.md")}");
    }

    /// <summary>Rows of a reference and the answers to its prompts, of the first subjects.</summary>
    public static Picture Sheet(IReadOnlyList<StudyCase> cases, IReadOnlyList<Picture> pictures, int prompts)
    {
        Picture[] cells = [.. Shown(cases, prompts).SelectMany(i => pictures.Skip(i).Take(prompts).Prepend(cases[i].Reference))];
        return ContactSheet.Arrange(cells, 1 + prompts, Gap);
    }

    /// <summary>The numbers of the cases that the comparison shows: the first of each of some subjects.</summary>
    private static IEnumerable<int> Shown(IReadOnlyList<StudyCase> cases, int prompts) =>
        Enumerable.Range(0, Math.Min(MostShown, cases.Count / prompts)).Select(i => i * prompts);

    /// <summary>For each system rows of a reference and its answers, and one contact sheet with a column for every system.</summary>
    private static void DrawGrids(StudyContext context, StudySystem[] systems, IReadOnlyList<StudyCase> cases)
    {
        int prompts = context.Config.Prompts;
        int[] first = [.. Shown(cases, prompts)];
        IReadOnlyList<Picture>[] drawn = [.. systems.Select(s => TinyStudy.Pictures(context, s, cases))];
        foreach ((StudySystem system, IReadOnlyList<Picture> pictures) in systems.Zip(drawn))
        {
            Sheet(cases, pictures, prompts).Save(Path.Combine(context.OutFolder, "sheets", $"{system.Name}.png"));
        }
        Picture[] compared = [.. first.SelectMany(i => drawn.Select(pictures => pictures[i]).Prepend(cases[i].Reference))];
        ContactSheet.Arrange(compared, 1 + systems.Length, Gap).Save(Path.Combine(context.OutFolder, "comparison.png"));
    }

    /// <summary>Rows of a reference, and the student's and the teacher's pictures of it in other lights.</summary>
    private static void DrawRelighting(StudyContext context)
    {
        IReadOnlyList<StudyCase> cases = Relighting.Cases(context.Config);
        IReadOnlyList<Picture>[] drawn = [.. Relighting.Drawings(context, cases).Where(d => d.System != "copy").Select(d => d.Pictures)];
        int[][] bySubject = [.. Enumerable.Range(0, cases.Count).GroupBy(i => cases[i].SubjectIndex).Take(MostShown).Select(g => g.ToArray())];
        Picture[] cells = [.. bySubject.SelectMany(own => drawn.SelectMany(pictures => own.Select(i => pictures[i])).Prepend(cases[own[0]].Reference))];
        ContactSheet.Arrange(cells, 1 + drawn.Length * bySubject[0].Length, Gap).Save(Path.Combine(context.OutFolder, "sheets", "relight.png"));
    }
}
