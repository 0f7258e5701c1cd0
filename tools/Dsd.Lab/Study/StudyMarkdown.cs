using System.Text;

namespace Dsd.Lab.Study;

/// <summary>The study's results as markdown, beside whose file the pictures stand.</summary>
internal static class StudyMarkdown
{
    public static string Write(StudyTables tables, IReadOnlyList<StudyCase> shown)
    {
        StringBuilder text = new();
        Line("# The paper's experiment in miniature");
        Line("");
        Line(tables.Setting);
        Line("");
        Paragraph(tables.LeftOut);
        Table(tables.Systems);
        Line(StudyTables.Reading);
        Line("");
        Paragraph(tables.Choice);
        Line("## Aims");
        Line("");
        foreach (StudyAim aim in tables.Aims)
        {
            Line($"- **{(aim.Met ? "met" : "missed")}**: {aim.Text}: {aim.Found}.");
        }
        Line("");
        Paragraph(tables.Judge);
        Line("## Pictures");
        Line("");
        Line($"![Reference and every system's picture](comparison.png)");
        Line("");
        Line($"Columns: reference, {string.Join(", ", tables.Names.Select(n => $"`{n}`"))}. Rows:");
        Line("");
        foreach ((int i, StudyCase one) in shown.Index())
        {
            Line($"{i + 1}. {one.Prompt.Text}");
        }
        Line("");
        Line($"All answers of each system: {string.Join(", ", tables.Names.Select(n => $"[{n}](sheets/{n}.png)"))}.");
        Line("");
        Line("## Attribute by attribute");
        Line("");
        Table(tables.Attributes);
        if (tables.Relights)
        {
            Line("## Relighting");
            Line("");
            Table(tables.Relight);
            Line(StudyTables.RelightReading);
            Line("");
            Line("![Relighting](sheets/relight.png)");
            Line("");
            Line("Columns: reference, the student in the two other lights, the teacher from text alone in the same lights.");
        }
        return text.ToString();

        void Line(string line) => text.Append(line).Append('\n');

        void Paragraph(string? paragraph) => text.Append(paragraph is null ? "" : $"{paragraph}\n\n");

        void Table(IReadOnlyList<string[]> rows) => text.Append(StudyMarkdown.Table(rows));
    }

    /// <summary>A table, a heading first, and an empty line.</summary>
    public static string Table(IReadOnlyList<string[]> rows)
    {
        string[] rule = [.. rows[0].Select(_ => "---")];
        return string.Concat(rows.Skip(1).Prepend(rule).Prepend(rows[0]).Select(row => $"| {string.Join(" | ", row)} |\n")) + "\n";
    }
}
