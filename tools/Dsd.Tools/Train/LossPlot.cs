using System.Globalization;
using System.Text;

namespace Dsd.Tools.Train;

/// <summary>The loss over steps, as SVG.</summary>
internal static class LossPlot
{
    private const int Width = 900;
    private const int Height = 360;
    private const int Left = 64;
    private const int Bottom = 36;
    private const int Margin = 12;
    private const int Ticks = 5;

    // A wide run has more lines in its log than a screen has columns.
    private const int MostPoints = 2000;

    /// <summary>Draws the raw curve, a smooth one, and the losses of held-out pairs as points.</summary>
    public static string Svg(IReadOnlyList<LogEntry> log)
    {
        (double Step, double Loss)[] raw = [.. log.Where(e => e.Loss is not null).Select(e => ((double)e.Step, (double)e.Loss!.Value))];
        (double Step, double Loss)[] held = [.. log.Where(e => e.ValidationLoss is not null).Select(e => ((double)e.Step, (double)e.ValidationLoss!.Value))];
        if (raw.Length == 0)
        {
            return "<p>No step had a finite loss.</p>";
        }
        (double Step, double Loss)[] smooth = Smooth(raw);
        double right = raw.Max(p => p.Step);
        double first = Math.Min(raw[0].Step, right - 1);
        double low = raw.Concat(held).Min(p => p.Loss), high = raw.Concat(held).Max(p => p.Loss);
        double room = Math.Max((high - low) * 0.05, 1e-6);
        (low, high) = (low - room, high + room);
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"Loss over steps\">");
        for (int i = 0; i <= Ticks; i++)
        {
            double loss = low + (high - low) * i / Ticks, step = first + (right - first) * i / Ticks;
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Margin}\" y1=\"{Y(loss):0.0}\" y2=\"{Y(loss):0.0}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{Y(loss) + 4:0.0}\" text-anchor=\"end\">{loss:0.0000}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(step):0.0}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{step:0}</text>");
        }
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{(Left + Width) / 2}\" y=\"{Height - 4}\" text-anchor=\"middle\">step</text>");
        Line("raw", raw);
        Line("smooth", smooth);
        foreach ((double step, double loss) in held)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"held\" cx=\"{X(step):0.0}\" cy=\"{Y(loss):0.0}\" r=\"4\"/>");
        }
        return svg.Append("</svg>").ToString();

        double X(double step) => Left + (step - first) / (right - first) * (Width - Margin - Left);

        double Y(double loss) => Height - Bottom - (loss - low) / (high - low) * (Height - Bottom - Margin);

        void Line(string kind, (double Step, double Loss)[] points)
        {
            int every = Math.Max(1, points.Length / MostPoints);
            IEnumerable<string> shown = points.Where((_, i) => i % every == 0 || i == points.Length - 1)
                .Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.Step):0.0},{Y(p.Loss):0.0}"));
            svg.Append($"<polyline class=\"{kind}\" points=\"{string.Join(' ', shown)}\"/>");
        }
    }

    /// <summary>A moving mean over about a twentieth of the run, in which every value before counts less the older it is.</summary>
    private static (double Step, double Loss)[] Smooth((double Step, double Loss)[] raw)
    {
        double decay = 1 - 1 / Math.Max(1.0, raw.Length / 20.0);
        (double sum, double weight) = (0, 0);
        return [.. raw.Select(p =>
        {
            sum = decay * sum + (1 - decay) * p.Loss;
            weight = decay * weight + (1 - decay);
            return (p.Step, sum / weight);
        })];
    }
}
