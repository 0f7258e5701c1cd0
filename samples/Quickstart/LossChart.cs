using System.Text;
using Dsd.Models.Training;

namespace Quickstart;

/// <summary>The training loss as inline SVG: a dot for each step, and a line through their running mean.</summary>
internal static class LossChart
{
    private const int Width = 720;
    private const int Height = 240;
    private const int Left = 52;
    private const int Bottom = 36;
    private const int Edge = 12;

    public static string Svg(IReadOnlyList<TrainingProgress> losses)
    {
        double top = Ceiling(losses.Max(l => l.Loss));
        double X(double step) => Left + (Width - Left - Edge) * step / losses.Count;
        double Y(double loss) => Edge + (Height - Bottom - Edge) * (1 - loss / top);

        StringBuilder svg = new($"<svg class='chart' viewBox='0 0 {Width} {Height}' role='img' aria-label='Training loss by step'>");
        for (int i = 0; i <= 4; i++)
        {
            double loss = top * i / 4;
            svg.Append($"<line class='grid' x1='{Left}' x2='{Width - Edge}' y1='{Y(loss):0.0}' y2='{Y(loss):0.0}'/>");
            svg.Append($"<text x='{Left - 8}' y='{Y(loss) + 4:0.0}' text-anchor='end'>{loss:0.##}</text>");
            double step = Math.Round(losses.Count * i / 4.0);
            svg.Append($"<text x='{X(step):0.0}' y='{Height - Bottom + 18}' text-anchor='middle'>{step:0}</text>");
        }
        svg.Append($"<text x='{(Left + Width) / 2}' y='{Height - 2}' text-anchor='middle'>step</text>");
        foreach (TrainingProgress loss in losses)
        {
            svg.Append($"<circle cx='{X(loss.Step):0.0}' cy='{Y(loss.Loss):0.0}' r='2.2'/>");
        }
        IEnumerable<string> mean = losses.Select((loss, i) => $"{X(loss.Step):0.0},{Y(RunningMean(losses, i)):0.0}");
        return svg.Append($"<polyline points='{string.Join(' ', mean)}'/></svg>").ToString();
    }

    // Single steps differ by the noise level that they happened to draw, so a trend is seen in their mean only.
    private static double RunningMean(IReadOnlyList<TrainingProgress> losses, int last)
    {
        int first = Math.Max(0, last - 14);
        return losses.Skip(first).Take(last - first + 1).Average(l => l.Loss);
    }

    /// <summary>The next round number: 1, 2, 4 or 8 times a power of ten.</summary>
    private static double Ceiling(double value)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(value, 1e-6))));
        return new[] { 1, 2, 4, 8, 10 }.Select(factor => factor * power).First(round => round >= value);
    }
}
