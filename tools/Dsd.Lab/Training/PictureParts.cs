using System.Globalization;
using Dsd.Imaging;

namespace Dsd.Lab.Training;

/// <summary>Many pictures of one size in a folder, some dozens in each PNG, without loss: what is there is not made again.</summary>
internal static class PictureParts
{
    private const int Columns = 8;
    private const int MostUnsaved = 8;

    /// <summary>Pictures of a folder in order: those that are there, and the missing ones as they are made, part by part.</summary>
    /// <param name="folder">Where they stand.</param>
    /// <param name="first">The number of the first one, a multiple of <paramref name="each"/>: several may each do a share of a folder.</param>
    /// <param name="count">How many there are to be.</param>
    /// <param name="each">How many stand in one file.</param>
    /// <param name="height">The height of one in pixels; its width is once or several times as much.</param>
    /// <param name="make">Makes the pictures from a number on, so many of them.</param>
    /// <exception cref="PictureException">A file holds no picture, or of another size than so many pictures have.</exception>
    public static IReadOnlyList<Picture> Complete(
        string folder, int first, int count, int each, int height, Func<int, int, IReadOnlyList<Picture>> make)
    {
        (string File, int First, int Count)[] parts =
        [
            .. Enumerable.Range(0, (count + each - 1) / each).Select(i => (
                Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{first + (i * each):000000}.png")),
                first + (i * each),
                Math.Min(each, count - (i * each)))),
        ];
        IReadOnlyList<Picture>?[] pictures = Task.WhenAll(
            parts.Select(p => Task.Run<IReadOnlyList<Picture>?>(() => File.Exists(p.File) ? Read(p.File, p.Count, height) : null))).GetAwaiter().GetResult();
        // Files are written while the next pictures are made: a disk may take longer for them than the device for the pictures.
        Queue<Task> saving = new();
        try
        {
            for (int i = 0; i < parts.Length; i++)
            {
                if (pictures[i] is null)
                {
                    IReadOnlyList<Picture> made = make(parts[i].First, parts[i].Count);
                    (pictures[i], string file) = (made, parts[i].File);
                    if (saving.Count == MostUnsaved)
                    {
                        saving.Dequeue().GetAwaiter().GetResult();
                    }
                    saving.Enqueue(Task.Run(() => ContactSheet.Arrange(made, Columns, gap: 0).Save(file)));
                }
            }
        }
        finally
        {
            Task.WhenAll(saving).GetAwaiter().GetResult();
        }
        return [.. pictures.SelectMany(part => part!)];
    }

    private static Picture[] Read(string file, int count, int height)
    {
        Picture sheet = Picture.Load(file);
        int rows = (count + Columns - 1) / Columns;
        int width = sheet.Width / Columns;
        if (width == 0 || width % height != 0 || sheet.Width != Columns * width || sheet.Height != rows * height)
        {
            throw new PictureException(
                file, $"{count} pictures of {height} pixels' height in rows of {Columns}; delete it to have it made again",
                $"{sheet.Width} × {sheet.Height} pixels");
        }
        return [.. Enumerable.Range(0, count).Select(i => sheet.Crop(i % Columns * width, i / Columns * height, width, height))];
    }
}
