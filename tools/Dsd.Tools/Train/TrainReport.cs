using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dsd.Imaging;
using Dsd.Models.Training.Planning;

namespace Dsd.Tools.Train;

/// <summary><c>report.html</c>: a run on one page that needs no other file.</summary>
internal static class TrainReport
{
    private const string Style = """
        body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#222}
        table{border-collapse:collapse;margin:1rem 0}
        th,td{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}td:first-child{white-space:nowrap}
        img,svg{max-width:100%}figure{margin:.8rem 0}
        """;

    /// <summary>Writes the page.</summary>
    /// <param name="record">The run's record.</param>
    /// <param name="plan">What was foreseen.</param>
    /// <param name="log">What was logged, by all processes of the run.</param>
    /// <param name="sheets">Pictures that were drawn, by the steps taken.</param>
    public static string Write(JsonObject record, TrainingPlan plan, IReadOnlyList<LogEntry> log, IReadOnlyList<(long Step, string File)> sheets)
    {
        StringBuilder html = new();
        string title = $"Training of {record["model"]}";
        html.Append($"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{Text(title)}</title><style>{Style}</style><h1>{Text(title)}</h1>");
        html.Append($"<h2>Loss</h2>{LossPlot.Svg(log)}<p>Grey: each report; blue: smoothed{(Held(log).Length > 0 ? "; points: held-out pairs" : "")}.</p>");
        html.Append("<h2>Predicted and measured</h2>");
        Table(
            ["", "predicted", "measured"],
            ["setting", plan.Setting.Name, ""],
            ["memory", Memory(plan.MemoryBytes), Memory(log.Count > 0 ? log.Max(e => e.MemoryBytes) : 0)],
            ["seconds a step", Seconds(plan.SecondsPerStep), Seconds(SecondsPerStep(log))],
            ["steps", $"{record["options"]!["Steps"]}", $"{(log.Count > 0 ? log[^1].Step : 0)}"],
            ["skipped steps", "", $"{(log.Count > 0 ? log[^1].Skipped : 0)}"]);
        if (Held(log) is { Length: > 0 } held)
        {
            html.Append("<h2>Held-out pairs</h2>");
            Table(["step", "loss"], [.. held.Select(e => new[] { $"{e.Step}", e.ValidationLoss!.Value.ToString("0.00000", CultureInfo.InvariantCulture) })]);
        }
        if (sheets.Count > 0)
        {
            html.Append("<h2>Pictures</h2><p>The reference, then one picture a prompt:</p><ol>");
            html.Append(string.Concat(record["samples"]!.AsArray().Select(p => $"<li>{Text(p!.GetValue<string>())}</li>"))).Append("</ol>");
            foreach ((long step, string file) in sheets)
            {
                // A run has many sheets, and a page must still open.
                string data = Convert.ToBase64String(Picture.Load(file).EncodeJpeg());
                html.Append($"<figure><figcaption>Step {step}</figcaption><img alt=\"Drawn after step {step}\" ");
                html.Append($"src=\"data:image/jpeg;base64,{data}\"></figure>");
            }
        }
        html.Append("<h2>Options</h2>");
        Table(["option", "value"], [.. record["options"]!.AsObject().Select(o => new[] { o.Key, Value(o.Value) })]);
        Table(["", ""], [.. new[] { "device", "pairs", "validate", "versions" }.Select(name => new[] { name, Value(record[name]) })]);
        return html.Append("</html>\n").ToString();

        void Table(string[] head, params string[][] rows)
        {
            html.Append($"<table><tr>{string.Concat(head.Select(c => $"<th>{Text(c)}</th>"))}</tr>");
            html.Append(string.Concat(rows.Select(row => $"<tr>{string.Concat(row.Select(c => $"<td>{Text(c)}</td>"))}</tr>")));
            html.Append("</table>");
        }
    }

    /// <summary>The median of the lines, without those that set things up or looked at held-out pairs, where there are others; null without any.</summary>
    public static double? SecondsPerStep(IReadOnlyList<LogEntry> log)
    {
        double[] quiet = [.. log.Skip(1).Where((e, i) => log[i].ValidationLoss is null && e.Seconds > log[i].Seconds).Select(e => e.SecondsPerStep).Order()];
        double[] all = quiet.Length > 0 ? quiet : [.. log.Select(e => e.SecondsPerStep).Order()];
        return all.Length > 0 ? all[all.Length / 2] : null;
    }

    private static LogEntry[] Held(IReadOnlyList<LogEntry> log) => [.. log.Where(e => e.ValidationLoss is not null)];

    private static string Seconds(double? seconds) => seconds?.ToString("0.000", CultureInfo.InvariantCulture) ?? "–";

    private static string Memory(long bytes) => bytes > 0 ? DeviceMemory.Gib(bytes) : "–";

    private static string Value(JsonNode? node) => node switch
    {
        null => "–",
        JsonValue value => value.ToString(),
        _ => node.ToJsonString(),
    };

    private static string Text(string text) => WebUtility.HtmlEncode(Printable.Line(text));
}
