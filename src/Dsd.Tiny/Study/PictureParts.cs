using System.Globalization;
using Dsd.Imaging;

namespace Dsd.Tiny.Study;

/// <summary>Many pictures of one size in a folder, some dozens in each PNG, without loss: what is there is not made again.</summary>
internal static class PictureParts
{
    private const int Columns = 8;

    /// <summary>All pictures: those in the folder, and the missing ones as they are made, part by part.</summary>
    /// <param name="folder">Where they stand.</param>
    /// <param name="count">How many there shall be.</param>
    /// <param name="each">How many stand in one file.</param>
    /// <param name="make">Makes the pictures from a number on, so many of them.</param>
    /// <exception cref="PictureException">A file holds no picture, or of another size than so many pictures have.</exception>
    public static IReadOnlyList<Picture> Complete(string folder, int count, int each, Func<int, int, IReadOnlyList<Picture>> make)
    {
        List<Picture> pictures = [];
        for (int first = 0; first < count; first += each)
        {
            int wanted = Math.Min(each, count - first);
            string file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{first:000000}.png"));
            if (!File.Exists(file))
            {
                ContactSheet.Arrange(make(first, wanted), Columns, gap: 0).Save(file);
            }
            pictures.AddRange(Read(file, wanted));
        }
        return pictures;
    }

    private static IEnumerable<Picture> Read(string file, int count)
    {
        Picture sheet = Picture.Load(file);
        int rows = (count + Columns - 1) / Columns;
        (int width, int height) = (sheet.Width / Columns, sheet.Height / rows);
        if (height != TinyModel.PanelSize || width % TinyModel.PanelSize != 0 || sheet.Width != Columns * width || sheet.Height != rows * height)
        {
            throw new PictureException(file, $"{count} pictures of {TinyModel.PanelSize} pixels' height in rows of {Columns}; delete it to have it made again", $"{sheet.Width} × {sheet.Height} pixels");
        }
        return Enumerable.Range(0, count).Select(i => sheet.Crop(i % Columns * width, i / Columns * height, width, height));
    }
}
