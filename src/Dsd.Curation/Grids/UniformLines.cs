using Dsd.Imaging;

namespace Dsd.Curation.Grids;

/// <summary>Finds the lines of one colour that separate and surround panels.</summary>
internal static class UniformLines
{
    // How far beyond a gutter's last uniform line its blurred edge may reach: those lines belong to no panel either.
    private const int BlurredEdge = 1;

    /// <summary>Where each panel starts and ends (exclusive) along one axis.</summary>
    public static (int Start, int End)[] Spans(Picture grid, int count, bool vertical, PanelCutterOptions options)
    {
        int length = vertical ? grid.Width : grid.Height;
        double side = (double)length / count;
        int most = (int)(side * options.MaxTrim);
        bool[] uniform = new bool[length];
        (int R, int G, int B)[] colours = new (int, int, int)[length];
        for (int line = 0; line < length && most > 0; line++)
        {
            uniform[line] = IsUniform(grid, line, vertical, options.Tolerance, out colours[line]);
        }

        (int Start, int End)[] spans = new (int, int)[count];
        spans[0].Start = most == 0 ? 0 : Border(0, 1);
        spans[count - 1].End = most == 0 ? length : length - Border(length - 1, -1);
        double inner = (double)(spans[count - 1].End - spans[0].Start) / count;
        for (int cut = 1; cut < count; cut++)
        {
            int middle = spans[0].Start + (int)Math.Round(cut * inner);
            (spans[cut - 1].End, spans[cut].Start) = most == 0 ? (middle, middle) : Gutter(middle);
        }
        return spans;

        int Border(int edge, int step)
        {
            int run = Run(edge, step);
            return run > 0 && run <= most ? run : 0;
        }

        (int End, int Start) Gutter(int middle)
        {
            // The model's gutter may lie a few pixels off the middle: the nearest uniform line is part of it.
            for (int offset = 0; offset <= most; offset++)
            {
                foreach (int line in (int[])[middle - offset, middle + offset])
                {
                    if (line <= 0 || line >= length || !uniform[line])
                    {
                        continue;
                    }
                    int before = Run(line, -1);
                    int after = Run(line, 1);
                    int end = line - before + 1;
                    int start = line + after;
                    return middle - end <= most && start - middle <= most && start - end <= 2 * most
                        ? (Math.Max(end - BlurredEdge, middle - most), Math.Min(start + BlurredEdge, middle + most))
                        : (middle, middle);
                }
            }
            return (middle, middle);
        }

        // Length of the run of uniform lines in the colour of the first.
        int Run(int first, int step)
        {
            int run = 0;
            for (int line = first; line >= 0 && line < length && uniform[line] && Near(colours[line], colours[first], options.Tolerance); line += step)
            {
                run++;
            }
            return run;
        }
    }

    private static bool IsUniform(Picture grid, int line, bool vertical, int tolerance, out (int R, int G, int B) mean)
    {
        int length = vertical ? grid.Height : grid.Width;
        ReadOnlySpan<byte> pixels = grid.Pixels;
        long red = 0, green = 0, blue = 0;
        for (int i = 0; i < length; i++)
        {
            int p = Offset(i);
            red += pixels[p];
            green += pixels[p + 1];
            blue += pixels[p + 2];
        }
        mean = ((int)(red / length), (int)(green / length), (int)(blue / length));
        int strays = 0;
        for (int i = 0; i < length; i++)
        {
            int p = Offset(i);
            if (!Near((pixels[p], pixels[p + 1], pixels[p + 2]), mean, tolerance))
            {
                strays++;
            }
        }
        // Two in a hundred pixels may stray: drawn gutters have specks, and they cross the other axis's border.
        return strays * 50 <= length;

        int Offset(int i) => 3 * (vertical ? i * grid.Width + line : line * grid.Width + i);
    }

    private static bool Near((int R, int G, int B) a, (int R, int G, int B) b, int tolerance) =>
        Math.Abs(a.R - b.R) <= tolerance && Math.Abs(a.G - b.G) <= tolerance && Math.Abs(a.B - b.B) <= tolerance;
}
