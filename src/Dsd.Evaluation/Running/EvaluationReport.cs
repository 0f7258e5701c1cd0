using System.Globalization;
using System.Net;
using System.Text;
using Dsd.Evaluation.Agreement;
using Dsd.Evaluation.Metrics;
using Dsd.Imaging;

namespace Dsd.Evaluation.Running;

/// <summary>The results as one HTML file that holds its pictures.</summary>
internal sealed class EvaluationReport(EvaluationResults results, IReadOnlyList<IPairMetric> metrics, IReadOnlyList<ScoredItem> scored, int examples)
{
    private const int ThumbnailSide = 112;
    private const int Quality = 80;
    private const string Style = """
        body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222}
        table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}
        th,td{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;white-space:nowrap}
        figure{display:inline-block;margin:.3rem;font-size:12px;vertical-align:top;width:236px;overflow-wrap:anywhere}
        figure img{margin-right:4px}
        svg{max-width:100%}
        .note{color:#666}
        """;

    private readonly Dictionary<string, string> _thumbnails = [];

    public string Html()
    {
        StringBuilder html = new();
        html.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">");
        html.Append($"<title>Measured pictures</title><style>{Style}</style></head><body>\n");
        html.Append($"<h1>Measured pictures</h1><p>{scored.Count} pictures of {scored.Select(i => i.Item.Subject).Distinct().Count()} subjects. ");
        html.Append("Means are over subjects of the mean over each one's pictures, with 95 % intervals (percentile bootstrap over subjects). ");
        html.Append("With a single subject the interval is a point and says nothing.</p>\n");
        foreach (IGrouping<string, BenchmarkResult> benchmark in results.Benchmarks.GroupBy(b => b.Benchmark))
        {
            Benchmark(html, benchmark.Key, [.. benchmark]);
        }
        Agreement(html);
        for (int m = 0; m < metrics.Count; m++)
        {
            Metric(html, m);
        }
        return html.Append("</body></html>\n").ToString();
    }

    /// <summary>The benchmark's own table: a row a figure, a column for each system and judge.</summary>
    private static void Benchmark(StringBuilder html, string name, BenchmarkResult[] columns)
    {
        bool several = columns.Select(c => c.Judge).Distinct().Count() > 1;
        html.Append($"<h2>{Text(name)}</h2><p class=\"note\">The benchmark's own table. Behind ± stands the standard deviation over the repeats, ");
        html.Append("in brackets a 95 % interval (percentile bootstrap over items).</p>\n");
        html.Append("<table><tr><th></th><th>of</th>");
        html.Append(string.Concat(columns.Select(c => $"<th>{Text(c.System)}{(several ? $", {Text(c.Judge)}" : "")}</th>"))).Append("</tr>\n");
        var rows = columns.SelectMany(c => c.Figures).Select(f => (f.Figure, f.Of)).Distinct().GroupBy(r => r.Figure).SelectMany(g => g);
        foreach ((string figure, string of) in rows)
        {
            html.Append($"<tr><td>{Text(figure)}</td><td>{Text(of)}</td>");
            html.Append(string.Concat(columns.Select(c => $"<td>{Cell(c.Figures.FirstOrDefault(f => f.Figure == figure && f.Of == of))}</td>")));
            html.Append("</tr>\n");
        }
        html.Append("</table>\n");

        static string Cell(BenchmarkFigure? figure) => figure is null
            ? "–"
            : $"{Number(figure.Value)}{(figure.Deviation is { } deviation ? $" ± {Number(deviation)}" : "")}"
                + (figure is { Low: { } low, High: { } high } ? $" ({Number(low)} to {Number(high)})" : "");
    }

    private void Agreement(StringBuilder html)
    {
        if (results.Agreement.Count == 0)
        {
            return;
        }
        html.Append("<h2>Agreement of judges</h2><p class=\"note\">Krippendorff's alpha and Spearman's rank correlation over all systems' pictures: each ");
        html.Append("repeat of a picture that both have scored is a unit. Where a figure has no meaning, such as where all scores are the same, ");
        html.Append("there is none.</p>\n");
        html.Append("<table><tr><th>question</th><th>judges</th><th>units</th><th>alpha, nominal</th><th>alpha, ordinal</th><th>alpha, interval</th>");
        html.Append("<th>Spearman</th></tr>\n");
        foreach (JudgeAgreement pair in results.Agreement)
        {
            html.Append($"<tr><td>{Text(pair.Metric)}</td><td>{Text(pair.First)} and {Text(pair.Second)}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{pair.Units}</td>");
            html.Append(string.Concat(new[] { pair.Nominal, pair.Ordinal, pair.Interval, pair.Spearman }.Select(
                figure => $"<td>{(figure is { } number ? Number(number) : "–")}</td>")));
            html.Append("</tr>\n");
        }
        html.Append("</table>\n");
    }

    private void Metric(StringBuilder html, int m)
    {
        MetricResult result = results.Metrics[m];
        html.Append($"<h2 id=\"{Text(result.Metric)}\">{Text(result.Metric)}</h2><p class=\"note\">{Text(result.Source)}, ");
        html.Append($"{Number(result.Least)} to {Number(result.Most)}</p>\n");
        Table(html, result);
        Differences(html, result);
        double[] all = [.. scored.Select(i => i.Scores[m]).OfType<double>()];
        foreach (SystemScore system in result.Systems)
        {
            ScoredItem[] own = [.. scored.Where(i => i.System == system.System && i.Scores[m] is not null).OrderByDescending(i => i.Scores[m])
                .ThenBy(i => i.Item.Key, StringComparer.Ordinal)];
            html.Append($"<h3>{Text(system.System)}</h3>{Histogram.Svg([.. own.Select(i => i.Scores[m]!.Value)], all)}\n");
            int shown = Math.Min(examples, (own.Length + 1) / 2);
            Examples(html, m, "Best", own.Take(shown));
            Examples(html, m, "Worst", own.Skip(shown).Reverse().Take(shown));
        }
    }

    private static void Table(StringBuilder html, MetricResult result)
    {
        string[] categories = [.. result.Systems.SelectMany(s => s.Categories.Keys).Distinct().Order(StringComparer.Ordinal)];
        html.Append($"<table><tr><th>system</th><th>all</th>{string.Concat(categories.Select(c => $"<th>{Text(c)}</th>"))}");
        html.Append("<th>subjects</th><th>pictures</th></tr>\n");
        foreach (SystemScore system in result.Systems)
        {
            html.Append($"<tr><td>{Text(system.System)}</td><td>{Mean(system.All)}</td>");
            html.Append(string.Concat(categories.Select(c => $"<td>{(system.Categories.TryGetValue(c, out ScoreSummary? s) ? Mean(s) : "–")}</td>")));
            html.Append(CultureInfo.InvariantCulture, $"<td>{system.All.Subjects}</td><td>{system.All.Pictures}</td></tr>\n");
        }
        html.Append("</table>\n");
    }

    private static void Differences(StringBuilder html, MetricResult result)
    {
        foreach (SystemDifference difference in result.Differences)
        {
            string apart = difference.Difference is { Low: > 0 } or { High: < 0 } ? "" : ": not told apart";
            html.Append($"<p><b>{Text(difference.System)}</b> less <b>{Text(difference.Against)}</b>, on the same ");
            html.Append(CultureInfo.InvariantCulture, $"{difference.Difference.Pictures} pictures: {Mean(difference.Difference)}{apart}.</p>\n");
        }
    }

    private void Examples(StringBuilder html, int m, string title, IEnumerable<ScoredItem> items)
    {
        ScoredItem[] shown = [.. items];
        if (shown.Length == 0)
        {
            return;
        }
        html.Append($"<h4>{title}</h4><div>");
        foreach (ScoredItem item in shown)
        {
            html.Append($"<figure>{Image(item.Item.ReferenceFile, "reference")}{Image(item.Item.GeneratedFile, "generated")}");
            html.Append($"<figcaption><b>{Number(item.Scores[m]!.Value)}</b> {Text(item.Item.Key)}");
            html.Append($"{(item.Item.Prompt is { } prompt ? $": {Text(prompt)}" : "")}</figcaption></figure>");
        }
        html.Append("</div>\n");
    }

    private string Image(string file, string alt)
    {
        if (!_thumbnails.TryGetValue(file, out string? data))
        {
            Picture picture = Picture.Load(file, Transparency.Dropped);
            double scale = Math.Min(1.0, (double)ThumbnailSide / Math.Max(picture.Width, picture.Height));
            (int width, int height) = (Math.Max(1, (int)(picture.Width * scale)), Math.Max(1, (int)(picture.Height * scale)));
            data = $"width=\"{width}\" height=\"{height}\" src=\"data:image/jpeg;base64,"
                + $"{Convert.ToBase64String(picture.Resize(width, height).EncodeJpeg(Quality))}\"";
            _thumbnails.Add(file, data);
        }
        return $"<img alt=\"{alt}\" {data}>";
    }

    private static string Mean(ScoreSummary summary) =>
        summary.Mean is { } mean ? $"{Number(mean)} ({Number(summary.Low!.Value)} to {Number(summary.High!.Value)})" : "–";

    private static string Number(double number) => number.ToString("0.000", CultureInfo.InvariantCulture).Replace('-', '−');

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
