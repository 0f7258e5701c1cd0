using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;
using OxyPlot.SkiaSharp;

namespace Dsd.Review.Reports;

/// <summary>A judge's precision and recall over the confidence that a pair must have to be kept, each with its 95 % interval as a band.</summary>
internal static class PrecisionRecallPlot
{
    private const int Width = 900;
    private const int Height = 520;
    private static readonly OxyColor Ink = OxyColor.FromRgb(0x1d, 0x24, 0x33);
    private static readonly OxyColor Line = OxyColor.FromRgb(0xe3, 0xe6, 0xec);

    // Blue and orange, which colour-blind people tell apart as well.
    private static readonly OxyColor Blue = OxyColor.FromRgb(0x2f, 0x5f, 0xc4);
    private static readonly OxyColor Orange = OxyColor.FromRgb(0xd9, 0x6b, 0x0b);

    /// <summary>The plot as a PNG file's bytes.</summary>
    public static byte[] Png(JudgeScore score)
    {
        PlotModel plot = new()
        {
            Title = $"Precision and recall of the judge over {score.Counts.Reviewed} reviewed pairs",
            TitleFontSize = 15,
            TitleFontWeight = FontWeights.Normal,
            Background = OxyColors.White,
            TextColor = Ink,
            PlotAreaBorderColor = Line,
            Axes = { Axis(AxisPosition.Bottom, "least confidence of a kept pair"), Axis(AxisPosition.Left, "share, with 95 % interval") },
            Legends =
            {
                new Legend
                {
                    LegendPosition = LegendPosition.BottomLeft,
                    LegendBackground = OxyColor.FromAColor(220, OxyColors.White),
                    LegendBorder = Line,
                },
            },
        };
        Add(plot, "precision", Blue, LineStyle.Solid, [.. score.Thresholds.Select(t => (t.Threshold, t.Precision))]);
        Add(plot, "recall", Orange, LineStyle.Dash, [.. score.Thresholds.Select(t => (t.Threshold, t.Recall))]);
        using MemoryStream png = new();
        new PngExporter { Width = Width, Height = Height, UseTextShaping = false }.Export(plot, png);
        return png.ToArray();
    }

    private static void Add(PlotModel plot, string title, OxyColor colour, LineStyle style, IReadOnlyList<(double Threshold, Proportion Share)> points)
    {
        AreaSeries band =
            new() { Color = OxyColors.Transparent, Color2 = OxyColors.Transparent, Fill = OxyColor.FromAColor(45, colour), RenderInLegend = false };
        LineSeries line = new() { Title = title, Color = colour, LineStyle = style, StrokeThickness = 2.5 };
        // Where no pair is left there is no share, and the line ends.
        foreach ((double threshold, Proportion share) in points.Where(p => p.Share.Of > 0))
        {
            band.Points.Add(new DataPoint(threshold, share.Low!.Value));
            band.Points2.Add(new DataPoint(threshold, share.High!.Value));
            line.Points.Add(new DataPoint(threshold, share.Value!.Value));
        }
        // All bands below all lines.
        plot.Series.Insert(0, band);
        plot.Series.Add(line);
    }

    private static LinearAxis Axis(AxisPosition position, string title) => new()
    {
        Position = position,
        Title = title,
        // A little more than 0 to 1, so that a line at either end is seen whole.
        Minimum = -0.02,
        Maximum = 1.02,
        MajorStep = 0.2,
        MinorStep = 0.1,
        MinimumPadding = 0,
        MaximumPadding = 0,
        MajorGridlineStyle = LineStyle.Solid,
        MajorGridlineColor = Line,
        TicklineColor = Line,
        StringFormat = "0.0",
    };
}
