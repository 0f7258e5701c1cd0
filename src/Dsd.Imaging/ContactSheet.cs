namespace Dsd.Imaging;

/// <summary>Several pictures of one size as one.</summary>
public static class ContactSheet
{
    /// <summary>Puts pictures row by row on white.</summary>
    /// <param name="pictures">At least one, all of the same size.</param>
    /// <param name="columns">Pictures in a row.</param>
    /// <param name="gap">White pixels between pictures.</param>
    public static Picture Arrange(IReadOnlyList<Picture> pictures, int columns, int gap)
    {
        (int width, int height) = (pictures[0].Width, pictures[0].Height);
        int rows = (pictures.Count + columns - 1) / columns;
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
