using System.Globalization;
using System.Text;

namespace Dsd.Architecture.Tests;

/// <summary>The picture in docs/architecture.md is made from the projects: a box for each, an arrow to each that it names and no other names for it.</summary>
public sealed class PictureTests
{
    private const int BoxWidth = 190, BoxHeight = 56, Across = 34, Down = 54, Margin = 16;

    private static readonly Dictionary<string, string> Purpose = new()
    {
        ["Dsd.Common"] = "files, option checks",
        ["Dsd.Imaging"] = "pictures",
        ["Dsd.Imaging.ImageSharp"] = "ImageSharp's pictures",
        ["Dsd.Models"] = "base models, sampling, LoRA",
        ["Dsd.Onnx"] = "export, ONNX Runtime",
        ["Dsd.Extensions.AI"] = "IImageGenerator",
        ["Dsd.Serving"] = "pictures over HTTP, a page",
        ["Dsd.Evaluation"] = "encoders, scores, reports",
        ["Dsd.Curation"] = "grids, chat models, judges",
        ["Dsd.Dataset"] = "pairs as files",
        ["Dsd.Runs"] = "ledger, curation runs",
        ["Dsd.Review"] = "page for people, reports",
        ["Dsd.Cluster"] = "runs on several machines",
        ["Dsd.Tiny"] = "the embedded model",
        ["Dsd.MLNet"] = "estimators, transformers",
        ["Dsd.CommandLine"] = "what both programs share",
        ["Dsd.Lab"] = "program dsd-lab",
        ["Dsd.Tools"] = "program dsd",
    };

    [Fact]
    public void ThePicture_IsTheProjects() => Accepted.Compare(Path.Combine(SourceTree.Root, "docs", "images", "architecture.svg"), Draw());

    private static string Draw()
    {
        Dictionary<string, int> levels = SourceTree.Projects.Keys.ToDictionary(name => name, Level);
        int rows = levels.Values.Max() + 1;
        Dictionary<string, (int X, int Y)> places = [];
        int width = levels.GroupBy(l => l.Value).Max(row => row.Count()) * (BoxWidth + Across) - Across + (2 * Margin);
        foreach (IGrouping<int, string> row in levels.GroupBy(l => l.Value, l => l.Key).OrderBy(g => g.Key))
        {
            // Each row in the order of what lies below it, so that few arrows cross.
            string[] names = [.. row.OrderBy(n => Below(n).Select(b => places[b].X).DefaultIfEmpty(0).Average()).ThenBy(n => n, StringComparer.Ordinal)];
            int left = (width - (names.Length * (BoxWidth + Across) - Across)) / 2;
            for (int i = 0; i < names.Length; i++)
            {
                places[names[i]] = (left + i * (BoxWidth + Across), Margin + (rows - 1 - row.Key) * (BoxHeight + Down));
            }
        }
        StringBuilder svg = new();
        int height = rows * (BoxHeight + Down) - Down + (2 * Margin);
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n");
        svg.Append("<title>Projects of Dsd.MLNet; an arrow points to what a project uses</title>\n");
        svg.Append("<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">")
            .Append("<path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker></defs>\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        foreach ((string name, (int x, int y)) in places.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            foreach (string to in Below(name))
            {
                (int toX, int toY) = places[to];
                int startX = x + (BoxWidth / 2), startY = y + BoxHeight, endX = toX + (BoxWidth / 2), middle = (startY + toY) / 2;
                svg.Append(
                    CultureInfo.InvariantCulture,
                    $"<path d=\"M{startX} {startY}C{startX} {middle} {endX} {middle} {endX} {toY - 1}\" fill=\"none\" "
                        + $"stroke=\"#555\" stroke-width=\"1.3\" marker-end=\"url(#a)\"/>\n");
            }
        }
        foreach ((string name, (int x, int y)) in places.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            string fill = SourceTree.Projects[name].Folder.StartsWith("tools/", StringComparison.Ordinal) ? "#fdf1dc" : "#e6f0fb";
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect x=\"{x}\" y=\"{y}\" width=\"{BoxWidth}\" height=\"{BoxHeight}\" rx=\"7\" fill=\"{fill}\" stroke=\"#345\"/>\n");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{x + (BoxWidth / 2)}\" y=\"{y + 24}\" text-anchor=\"middle\" font-size=\"15\" font-weight=\"bold\">{name}</text>\n");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{x + (BoxWidth / 2)}\" y=\"{y + 43}\" text-anchor=\"middle\" font-size=\"12\">{Purpose[name]}</text>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }

    // How many arrows lead down at most.
    private static int Level(string name) => SourceTree.Projects[name].Projects.Select(p => Level(p) + 1).DefaultIfEmpty(0).Max();

    // What a project names, without what it reaches through another one of these.
    private static IEnumerable<string> Below(string name)
    {
        IReadOnlyList<string> named = SourceTree.Projects[name].Projects;
        return named.Where(p => !named.Any(other => other != p && Reaches(other, p)));
    }

    private static bool Reaches(string from, string to) => SourceTree.Projects[from].Projects.Any(p => p == to || Reaches(p, to));
}
