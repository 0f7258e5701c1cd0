using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Dsd.Tools.Train;

/// <summary>The loss over steps, as SVG.</summary>
internal static class LossPlot
{
    private const int Width = 900;
    private const int Height = 380;

    // A long run has more lines in its log than a screen has columns.
    private const int MostPoints = 2000;
    private static readonly OxyColor Ink = OxyColor.FromRgb(0x22, 0x22, 0x22);
    private static readonly OxyColor Line = OxyColor.FromRgb(0xdd, 0xdd, 0xdd);

    /// <summary>Draws the raw curve in grey, a smooth one in blue, and the losses of held-out pairs as orange points.</summary>
    public static string Svg(IReadOnlyList<LogEntry> log)
    {
        DataPoint[] raw = [.. log.Where(e => e.Loss is not null).Select(e => new DataPoint(e.Step, e.Loss!.Value))];
        if (raw.Length == 0)
        {
            return "<p>No step had a finite loss.</p>";
        }
        PlotModel plot = new()
        {
            Background = OxyColors.White,
            TextColor = Ink,
            PlotAreaBorderColor = Line,
            Axes = { Axis(AxisPosition.Bottom, "step"), Axis(AxisPosition.Left, title: null) },
            Series =
            {
                Curve(raw, OxyColor.FromRgb(0xb9, 0xc6, 0xd6), 1),
                Curve(Smooth(raw), OxyColor.FromRgb(0x1f, 0x5f, 0xa8), 2),
                new ScatterSeries
                {
                    MarkerType = MarkerType.Circle,
                    MarkerSize = 4,
                    MarkerFill = OxyColor.FromRgb(0xc4, 0x55, 0x0c),
                    ItemsSource = log.Where(e => e.ValidationLoss is not null).Select(e => new ScatterPoint(e.Step, e.ValidationLoss!.Value)).ToArray(),
                },
            },
        };
        return new SvgExporter { Width = Width, Height = Height, IsDocument = false }.ExportToString(plot);
    }

    private static LineSeries Curve(DataPoint[] points, OxyColor colour, double thickness)
    {
        int every = Math.Max(1, points.Length / MostPoints);
        DataPoint[] shown = [.. points.Where((_, i) => i % every == 0 || i == points.Length - 1)];
        return new LineSeries { Color = colour, StrokeThickness = thickness, ItemsSource = shown };
    }

    private static LinearAxis Axis(AxisPosition position, string? title) => new()
    {
        Position = position,
        Title = title,
        MajorGridlineStyle = LineStyle.Solid,
        MajorGridlineColor = Line,
        TicklineColor = Line,
    };

    /// <summary>A moving mean over about a twentieth of the run, in which every value before counts less the older it is.</summary>
    private static DataPoint[] Smooth(DataPoint[] raw)
    {
        double decay = 1 - 1 / Math.Max(1.0, raw.Length / 20.0);
        (double sum, double weight) = (0, 0);
        return [.. raw.Select(p =>
        {
            sum = decay * sum + (1 - decay) * p.Y;
            weight = decay * weight + (1 - decay);
            return new DataPoint(p.X, sum / weight);
        })];
    }
}
