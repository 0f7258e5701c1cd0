using System.Net;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Dsd.MLNet;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace Quickstart;

/// <summary>Writes the pictures as files, and one page that shows every stage and needs no other file.</summary>
internal sealed class Report
{
    private const int MostPairs = 9;
    private readonly Results _results;
    private readonly StringBuilder _html = new();

    private Report(Results results) => _results = results;

    /// <summary>Writes <c>report.html</c> and the pictures, and returns the page's full path.</summary>
    public static string Write(Results results)
    {
        string path = Path.GetFullPath(Path.Combine(results.Settings.Out, "report.html"));
        File.WriteAllText(path, new Report(results).Html());
        return path;
    }

    private string Html()
    {
        _html.Append($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <title>Dsd.MLNet Quickstart</title>
            <style>{Css()}</style>
            </head>
            <body><main>
            <h1>Diffusion Self-Distillation, from captions to pictures</h1>
            <p class="soft">A text-to-image model draws grids of one subject. A judge keeps the pairs of panels that agree. On these pairs the same model
            learns to take a reference picture, with nothing tuned per subject (arXiv 2411.18616). Everything on this page was made on this machine's
            processor, by a small model that comes with Dsd.MLNet and knows a small world of creatures only.</p>
            """);
        Summary();
        Pictures();
        Grids();
        Pairs();
        Training();
        Exported();
        Circumstances();
        return _html.Append("</main></body></html>\n").ToString();
    }

    private void Summary()
    {
        IReadOnlyList<PairRow> pairs = _results.Pairs;
        _html.Append("<div class=\"tiles\">");
        Tile($"{_results.Grids.Count}", "grids drawn");
        Tile($"{pairs.Count(p => p.Kept)} of {pairs.Count}", "pairs kept");
        Tile($"{_results.Losses.Count}", "training steps");
        Tile($"{OnnxFiles().Sum(f => f.Length) / 1e6:0} MB", "of ONNX");
        Tile($"{_results.Pictures.Count}", "pictures generated");
        Tile($"{_results.Timings.Sum(t => t.Time.TotalSeconds):0} s", "in all");
        _html.Append("</div>");

        void Tile(string figure, string what) => _html.Append($"<div class=\"tile\"><b>{figure}</b><span>{what}</span></div>");
    }

    private void Grids()
    {
        Begin(
            1,
            "Draw grids",
            "Draw grids",
            "The teacher, a text-to-image model, is asked for two pictures of the same subject in one. "
            + "It does not always comply, which is why the next stage exists.");
        _html.Append("<div class=\"grids\">");
        foreach ((int i, GridRow row) in _results.Grids.Index())
        {
            string image = Image(row.Grid, "grids", $"grid-{i + 1:00}", row.GridPrompt);
            _html.Append($"<figure>{image}<figcaption><b>{Text(row.Caption)}</b>{Text(row.GridPrompt)}</figcaption></figure>");
        }
        End("</div>");
    }

    private void Pairs()
    {
        Begin(
            2,
            "Judge pairs",
            "Judge pairs",
            "Grids are cut into panels. A judge describes the subject of both, compares, and gives a verdict; pairs that it is sure of are kept. "
            + "Here the judge is a small network behind the same chat interface that a vision-language model has.");
        Side("Kept", "kept", kept: true);
        Side("Rejected", "rejected", kept: false);
        End();

        void Side(string title, string name, bool kept)
        {
            PairRow[] pairs = [.. _results.Pairs.Where(p => p.Kept == kept)];
            string shown = pairs.Length > MostPairs ? $", {MostPairs} shown, all in <code>pairs/</code>" : "";
            _html.Append($"<h3>{title}: {pairs.Length} of {_results.Pairs.Count}{shown}</h3><div class=\"pairs\">");
            // Every n-th of them, so that all grids have their turn.
            int every = Math.Max(1, pairs.Length / MostPairs);
            foreach ((int i, PairRow pair) in pairs.Index())
            {
                string images = Image(pair.Reference, "pairs", $"{name}-{i + 1:000}-reference", "reference")
                    + Image(pair.Target, "pairs", $"{name}-{i + 1:000}-target", pair.Prompt);
                if (i % every == 0 && i / every < MostPairs)
                {
                    float percent = float.IsNaN(pair.Confidence) ? 0 : 100 * pair.Confidence;
                    _html.Append($"""
                        <div class="pair {name}"><div class="images">{images}</div>
                        <div class="meter" title="confidence {pair.Confidence:0.00}"><i style="width:{percent:0}%"></i></div>
                        <p>{Text(pair.Reason)}</p><p class="soft">confidence {pair.Confidence:0.00} · prompt of the right one: {Text(pair.Prompt)}</p></div>
                        """);
                }
            }
            _html.Append(pairs.Length == 0 ? "<p class=\"soft\">None.</p></div>" : "</div>");
        }
    }

    private void Training()
    {
        Begin(3, "Fine-tune the LoRA", "Fine-tune the LoRA", $"""
            Two frames, the reference and the target, are denoised together, and both enter the loss. This run goes on from the adapter that comes
            with the package, which was distilled in the same way from grids of this teacher; {_results.Losses.Count} steps more show how training goes,
            and change little.
            """);
        _html.Append(LossChart.Svg(_results.Losses));
        _html.Append("<p class=\"soft\">Loss of each step (dots) and the mean of 15 steps (line). Single steps differ by the noise level that they drew.</p>");
        End();
    }

    private void Exported()
    {
        Begin(
            4,
            "Export to ONNX",
            "Export to ONNX",
            "The adapter is merged into the model, and each network is built as an ONNX graph from its weights, in single precision. "
            + "ONNX Runtime then runs them without TorchSharp.");
        _html.Append("<table><tr><th>file</th><th class=\"right\">size</th></tr>");
        foreach (FileInfo file in OnnxFiles())
        {
            string name = Path.GetRelativePath(_results.Settings.Out, file.FullName).Replace('\\', '/');
            _html.Append($"<tr><td><code>{Text(name)}</code></td><td class=\"right\">{Size(file.Length)}</td></tr>");
        }
        End("</table>");
    }

    private void Pictures()
    {
        IGrouping<int, PictureRow>[] subjects = [.. _results.Pictures.GroupBy(p => p.Subject)];
        PictureRow[] heads = [.. subjects[0]];
        Begin(5, "Generate pictures", "Generate pictures", """
            The result first. The blue frames hold references: subjects that neither the teacher nor the adapter has met. Beside them is what the student
            makes of each prompt. It is a small model, briefly trained: scenes come out as asked, the subject's colours, outline and face nearly always,
            what it wears mostly, its stripes and ears two times in three.
            """);
        _html.Append($"<div class=\"pictures\" style=\"grid-template-columns: repeat({heads.Length + 1}, 1fr)\"><div class=\"head\">reference</div>");
        _html.Append(string.Concat(heads.Select(p => $"<div class=\"head\">{Text(p.Prompt)}</div>")));
        foreach (IGrouping<int, PictureRow> subject in subjects)
        {
            string reference = Image(subject.First().Reference, "references", $"reference-{subject.Key + 1}", "reference");
            _html.Append($"<figure class=\"reference\">{reference}<figcaption>&#160;</figcaption></figure>");
            foreach ((int i, PictureRow picture) in subject.Index())
            {
                string image = Image(picture.Generated, "pictures", $"reference-{subject.Key + 1}-prompt-{i + 1}", picture.Prompt);
                _html.Append($"<figure>{image}<figcaption>seed {picture.Seed}</figcaption></figure>");
            }
        }
        End("</div>");
    }

    private void Circumstances()
    {
        _html.Append("<section><div class=\"columns\"><div><h2>Time</h2><table>");
        foreach ((string stage, TimeSpan time) in _results.Timings)
        {
            _html.Append($"<tr><td>{Text(stage)}</td><td class=\"right\">{time.TotalSeconds:0.0} s</td></tr>");
        }
        _html.Append($"<tr><td><b>In all</b></td><td class=\"right\"><b>{_results.Timings.Sum(t => t.Time.TotalSeconds):0.0} s</b></td></tr>");
        _html.Append("</table></div><div><h2>Versions</h2><table>");
        (string Name, string Version)[] versions =
        [
            ("Dsd.MLNet", Version(typeof(DsdGenerator))),
            ("ML.NET", Version(typeof(MLContext))),
            ("TorchSharp", Version(typeof(TorchSharp.torch))),
            ("ONNX Runtime", Version(typeof(InferenceSession))),
            (".NET", Environment.Version.ToString()),
            ("System", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}"),
            ("Processor cores", $"{Environment.ProcessorCount}"),
            ("Written", $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC"),
        ];
        foreach ((string name, string version) in versions)
        {
            _html.Append($"<tr><td>{name}</td><td>{Text(version)}</td></tr>");
        }
        End("</table></div></div>");
    }

    private void Begin(int number, string title, string stage, string text)
    {
        double seconds = _results.Timings.Where(t => t.Stage == stage).Sum(t => t.Time.TotalSeconds);
        _html.Append($"<section><h2><span class=\"number\">{number}</span>{title}<span class=\"time\">{seconds:0.0} s</span></h2><p>{text}</p>");
    }

    private void End(string last = "") => _html.Append(last).Append("</section>\n");

    /// <summary>Saves the picture, and gives the element that holds its bytes.</summary>
    private string Image(MLImage image, string folder, string name, string alt)
    {
        string path = Path.Combine(_results.Settings.Out, folder, name + ".png");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        image.Save(path);
        string png = Convert.ToBase64String(File.ReadAllBytes(path));
        return $"<img width=\"{image.Width}\" height=\"{image.Height}\" alt=\"{Text(alt)}\" src=\"data:image/png;base64,{png}\" />";
    }

    private FileInfo[] OnnxFiles()
    {
        DirectoryInfo folder = new(Path.Combine(_results.Settings.Out, "onnx"));
        return [.. folder.GetFiles("*.onnx*", SearchOption.AllDirectories).OrderBy(f => f.FullName, StringComparer.Ordinal)];
    }

    private static string Size(long bytes) => bytes < 1_000_000 ? $"{bytes / 1e3:0} kB" : $"{bytes / 1e6:0.0} MB";

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Version(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? $"{type.Assembly.GetName().Version}";

    private static string Css()
    {
        using StreamReader reader = new(typeof(Report).Assembly.GetManifestResourceStream("report.css")!);
        return reader.ReadToEnd();
    }
}
