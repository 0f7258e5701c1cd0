using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Dsd.Common.Options;

namespace Dsd.Curation.Grids;

/// <summary>How the panels of one grid lie: rows × columns, counted from the top left, row by row.</summary>
/// <remarks>The grids of arXiv 2411.18616, section 3.1: one subject, drawn once a panel.</remarks>
public sealed record GridLayout
{
    /// <summary>The most panels that a grid may have.</summary>
    public const int MaxPanels = 16;

    /// <summary>A layout of the given number of rows and columns.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number is below 1, or the grid would have fewer than 2 or more than <see cref="MaxPanels"/> panels.
    /// </exception>
    public GridLayout(int rows, int columns)
    {
        Rows = OptionCheck.Range(rows, 1, MaxPanels, nameof(rows));
        Columns = OptionCheck.Range(columns, 1, MaxPanels, nameof(columns));
        OptionCheck.Range(rows * columns, 2, MaxPanels, nameof(Panels));
    }

    /// <summary>Two panels side by side.</summary>
    public static GridLayout OneByTwo { get; } = new(1, 2);

    /// <summary>Two panels, one above the other.</summary>
    public static GridLayout TwoByOne { get; } = new(2, 1);

    /// <summary>Four panels in a square: the paper's usual grid.</summary>
    public static GridLayout TwoByTwo { get; } = new(2, 2);

    /// <summary>Four panels in a row.</summary>
    public static GridLayout OneByFour { get; } = new(1, 4);

    /// <summary>Nine panels in a square.</summary>
    public static GridLayout ThreeByThree { get; } = new(3, 3);

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>Number of panels, 2 to <see cref="MaxPanels"/>.</summary>
    public int Panels => Rows * Columns;

    /// <summary>Reads a layout written as <c>rows x columns</c>, such as <c>2x2</c>.</summary>
    /// <exception cref="FormatException">The text is not a layout.</exception>
    public static GridLayout Parse(string text) =>
        TryParse(text, out GridLayout? layout)
            ? layout
            : throw new FormatException($"Grid layout '{text}': expected rows x columns with 2 to {MaxPanels} panels, such as 1x2 or 2x2.");

    /// <summary>Reads a layout as <see cref="Parse"/> does, without an exception.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out GridLayout? layout)
    {
        layout = null;
        string[] parts = (text ?? "").Split(['x', '×'], StringSplitOptions.TrimEntries);
        if (parts.Length != 2 || !Number(parts[0], out int rows) || !Number(parts[1], out int columns) || rows * columns is < 2 or > MaxPanels)
        {
            return false;
        }
        layout = new GridLayout(rows, columns);
        return true;
    }

    /// <summary>Where a panel lies, in words: 'left', 'top right', 'row 2, column 3'.</summary>
    /// <param name="panel">The panel's index, row by row from 0.</param>
    public string PositionOf(int panel)
    {
        OptionCheck.Range(panel, 0, Panels - 1, nameof(panel));
        (int row, int column) = (panel / Columns, panel % Columns);
        string? vertical = Word(row, Rows, "top", "middle", "bottom");
        string? horizontal = Word(column, Columns, "left", "middle", "right");
        return (vertical, horizontal) switch
        {
            (null, _) or (_, null) =>
                Rows == 1 ? $"number {column + 1} from the left" : Columns == 1 ? $"number {row + 1} from the top" : $"row {row + 1}, column {column + 1}",
            ("", _) => horizontal,
            (_, "") => vertical,
            ("middle", "middle") => "centre",
            _ => $"{vertical} {horizontal}",
        };
    }

    /// <summary>The layout as <see cref="Parse"/> reads it, such as <c>2x2</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rows}x{Columns}");

    // Nothing to say for one, words for two and three, null where words run out.
    private static string? Word(int index, int count, string first, string middle, string last) => count switch
    {
        1 => "",
        2 => index == 0 ? first : last,
        3 => index == 0 ? first : index == 1 ? middle : last,
        _ => null,
    };

    private static bool Number(string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value is >= 1 and <= MaxPanels;
}
