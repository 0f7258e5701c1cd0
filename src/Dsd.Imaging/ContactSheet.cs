namespace Dsd.Imaging;

/// <summary>Several pictures of one size as one.</summary>
public static class ContactSheet
{
    /// <summary>Puts pictures row by row on white.</summary>
    /// <param name="pictures">At least one, all of the same size.</param>
    /// <param name="columns">Pictures in a row, at least 1; the last row may be shorter.</param>
    /// <param name="gap">White pixels between pictures, at least 0.</param>
    /// <returns>A picture of <c>columns</c> times the width, and as many rows as are needed, with the gaps between them.</returns>
    /// <exception cref="ArgumentException">There is no picture, or one is of another size than the first; names it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// Columns or gap are out of range, or the sheet would have more than <see cref="Picture.MaxPixels"/>.
    /// </exception>
    public static Picture Arrange(IReadOnlyList<Picture> pictures, int columns, int gap)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(gap);
        if (pictures.Count == 0)
        {
            throw new ArgumentException("At least one picture is needed, but there is none.", nameof(pictures));
        }
        (int width, int height) = (pictures[0].Width, pictures[0].Height);
        int rows = (pictures.Count + columns - 1) / columns;
        for (int i = 1; i < pictures.Count; i++)
        {
            if ((pictures[i].Width, pictures[i].Height) != (width, height))
            {
                throw new ArgumentException(
                    $"All pictures must be {width} × {height} as the first, but picture {i} is {pictures[i].Width} × {pictures[i].Height}.",
                    nameof(pictures));
            }
        }
        if ((double)columns * (width + (double)gap) * rows * (height + (double)gap) > Picture.MaxPixels)
        {
            throw new ArgumentOutOfRangeException(
                nameof(columns),
                columns,
                $"A sheet of {columns} × {rows} pictures of {width} × {height} with gaps of {gap} has more than {Picture.MaxPixels} pixels.");
        }
        int sheetWidth = columns * (width + gap) - gap;
        int sheetHeight = rows * (height + gap) - gap;
        byte[] sheet = new byte[3 * sheetWidth * sheetHeight];
        Array.Fill(sheet, byte.MaxValue);
        for (int i = 0; i < pictures.Count; i++)
        {
            (int left, int top) = (i % columns * (width + gap), i / columns * (height + gap));
            for (int y = 0; y < height; y++)
            {
                pictures[i].Pixels.Slice(3 * y * width, 3 * width).CopyTo(sheet.AsSpan(3 * ((top + y) * sheetWidth + left)));
            }
        }
        return new Picture(sheetWidth, sheetHeight, sheet);
    }
}
