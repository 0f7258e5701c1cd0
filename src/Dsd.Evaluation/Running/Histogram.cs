using System.Globalization;
using System.Text;

namespace Dsd.Evaluation.Running;

/// <summary>How scores are spread, as a picture of bars.</summary>
internal static class Histogram
{
    private const int Bins = 24;
    private const int Width = 480;
    private const int Height = 90;
    private const int Foot = 18;

    /// <summary>The bars of some scores.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="all">Those of all systems, whose range is the axis, so that pictures beside each other can be compared.</param>
    public static string Svg(IReadOnlyList<double> scores, IReadOnlyList<double> all)
    {
        if (scores.Count == 0)
        {
            return "";
        }
        (double least, double most) = (all.Min(), all.Max());
        int[] counts = new int[Bins];
        foreach (double score in scores)
        {
            counts[most > least ? Math.Min(Bins - 1, (int)((score - least) / (most - least) * Bins)) : Bins / 2]++;
        }
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg width=\"{Width}\" viewBox=\"0 0 {Width} {Height + Foot}\" role=\"img\" ");
        svg.Append("font-family=\"sans-serif\" font-size=\"11\">");
        svg.Append(CultureInfo.InvariantCulture, $"<title>Histogram of {scores.Count} scores from {least:0.000} to {most:0.000}</title>");
        for (int i = 0; i < Bins; i++)
        {
            double height = (double)counts[i] / counts.Max() * Height;
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect x=\"{i * Width / Bins}\" y=\"{Height - height:0.#}\" width=\"{Width / Bins - 1}\" height=\"{height:0.#}\" fill=\"#4a7ab5\"/>");
        }
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"0\" y=\"{Height + 13}\">{least:0.000}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width}\" y=\"{Height + 13}\" text-anchor=\"end\">{most:0.000}</text>");
        return svg.Append("</svg>").ToString();
    }
}
