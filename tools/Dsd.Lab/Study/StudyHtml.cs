using System.Net;
using System.Text;
using Dsd.Tiny;

namespace Dsd.Lab.Study;

/// <summary>The study's results as one HTML file that holds its pictures.</summary>
internal static class StudyHtml
{
    private const string Style = """
        body{font:15px/1.5 system-ui,sans-serif;max-width:1160px;margin:2rem auto;padding:0 1rem;color:#222}
        table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}
        th,td{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;white-space:nowrap}
        img{max-width:100%;image-rendering:auto}
        .labels{display:grid;font-size:11px;text-align:center;overflow-wrap:anywhere}
        .met b{color:#17692f}.missed b{color:#a32020}
        """;

    /// <summary>Writes the page.</summary>
    /// <param name="tables">The results.</param>
    /// <param name="shown">The cases of the comparison, row by row.</param>
    /// <param name="folder">Where the pictures stand.</param>
    public static string Write(StudyTables tables, IReadOnlyList<StudyCase> shown, string folder)
    {
        StringBuilder html = new();
        html.Append($"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>The paper's experiment in miniature</title><style>{Style}</style>");
        html.Append($"<h1>The paper's experiment in miniature</h1><p>{Text(tables.Setting)}</p>");
        Paragraph(tables.LeftOut);
        Table(tables.Systems);
        html.Append($"<p>{Text(StudyTables.Reading)}</p>");
        Paragraph(tables.Choice);
        html.Append("<h2>Aims</h2><ul>");
        foreach (StudyAim aim in tables.Aims)
        {
            string met = aim.Met ? "met" : "missed";
            html.Append($"<li class=\"{met}\"><b>{met}</b>: {Text(aim.Text)}: {Text(aim.Found)}.</li>");
        }
        int columns = tables.Names.Count + 1;
        // As wide as the picture beneath, so that each name is over its column.
        int width = columns * (TinyModel.PanelSize + StudyReport.Gap) - StudyReport.Gap;
        html.Append("</ul>");
        Paragraph(tables.Judge);
        html.Append("<h2>Pictures</h2><div class=\"labels\" "
            + $"style=\"max-width:{width}px;grid-template-columns:repeat({columns},1fr)\">");
        html.Append(string.Concat(tables.Names.Prepend("reference").Select(n => $"<span>{Text(n)}</span>")));
        html.Append("</div>");
        Image("comparison.png", "Reference and every system's picture");
        html.Append($"<ol>{string.Concat(shown.Select(c => $"<li>{Text(c.Prompt.Text)}</li>"))}</ol>");
        foreach (string name in tables.Names)
        {
            html.Append($"<details><summary>{Text(name)}: reference and answers</summary>");
            Image(Path.Combine("sheets", $"{name}.png"), name);
            html.Append("</details>");
        }
        html.Append("<h2>Attribute by attribute</h2>");
        Table(tables.Attributes);
        if (tables.Relights)
        {
            html.Append("<h2>Relighting</h2>");
            Table(tables.Relight);
            html.Append($"<p>{Text(StudyTables.RelightReading)}</p>");
            Image(Path.Combine("sheets", "relight.png"), "Reference, the student in the two other lights, the teacher from text alone in the same lights");
        }
        return html.Append("</html>\n").ToString();

        void Paragraph(string? paragraph) => html.Append(paragraph is null ? "" : $"<p>{Text(paragraph)}</p>");

        void Table(IReadOnlyList<string[]> rows)
        {
            html.Append($"<table><tr>{string.Concat(rows[0].Select(c => $"<th>{Text(c)}</th>"))}</tr>");
            foreach (string[] row in rows.Skip(1))
            {
                html.Append($"<tr>{string.Concat(row.Select(c => $"<td>{Text(c)}</td>"))}</tr>");
            }
            html.Append("</table>");
        }

        void Image(string file, string alt) =>
            html.Append($"<img alt=\"{Text(alt)}\" src=\"data:image/png;base64,{Convert.ToBase64String(File.ReadAllBytes(Path.Combine(folder, file)))}\">");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text).Replace("`", "", StringComparison.Ordinal);
}
