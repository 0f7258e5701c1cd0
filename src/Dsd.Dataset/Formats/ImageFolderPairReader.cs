using System.Text.Json;

namespace Dsd.Dataset.Formats;

/// <summary>Reads picture files and the <c>metadata.jsonl</c> that names them.</summary>
internal sealed class ImageFolderPairReader : PairReader
{
    /// <summary>The file that makes a folder an imagefolder with captions.</summary>
    public const string MetadataFile = "metadata.jsonl";

    private readonly IReadOnlyList<string> _files;
    private readonly PairDatasetOptions _options;

    public ImageFolderPairReader(IReadOnlyList<string> files, PairDatasetOptions options)
    {
        (_files, _options) = (files, options);
        using IEnumerator<(string File, long Number, JsonDocument Row)> rows = Rows().GetEnumerator();
        if (rows.MoveNext())
        {
            using JsonDocument first = rows.Current.Row;
            Details = options.ReadDetails ? DetailsJson.Columns(first.RootElement) : [];
            _ = Record(rows.Current.File, rows.Current.Number, first.RootElement);
        }
    }

    public override IEnumerable<PairRecord> Read()
    {
        foreach ((string file, long number, JsonDocument row) in Rows())
        {
            using (row)
            {
                yield return Record(file, number, row.RootElement);
            }
        }
    }

    private IEnumerable<(string File, long Number, JsonDocument Row)> Rows()
    {
        foreach (string file in _files)
        {
            using FileStream stream = Open(file);
            foreach ((long number, ReadOnlyMemory<byte> line) in JsonLines.Read(stream, DetailsJson.MaxBytes, file))
            {
                yield return (file, number, DetailsJson.Parse(line, Place(file, number)));
            }
        }
    }

    private PairRecord Record(string file, long number, JsonElement row)
    {
        string place = Place(file, number);
        string image = row.TryGetProperty($"{_options.ImageColumn}_file_name", out _) ? $"{_options.ImageColumn}_file_name" : "file_name";
        return new PairRecord
        {
            Source = place,
            Image = Picture(file, row, image, place),
            Conditioning = Picture(file, row, $"{_options.ConditioningColumn}_file_name", place),
            Caption = DetailsJson.Text(row, _options.CaptionColumn, place),
            Details = DetailsJson.Details(row, Details, place),
        };
    }

    private static EncodedPicture Picture(string file, JsonElement row, string column, string place)
    {
        string name = DetailsJson.Text(row, column, place);
        string where = $"{place}, column '{column}'";
        // The names are the dataset's, and lead nowhere but below its folder.
        if (name.Length > 1000 || name.Contains('\\') || name.Contains(':') || name.Contains('\0') || name.Split('/').Any(part => part is "" or "." or ".."))
        {
            throw new DatasetException(where, "a file below the metadata's folder, such as 'ab/1.png'", $"'{(name.Length <= 200 ? name : $"{name[..200]}…")}'");
        }
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, name);
        return new EncodedPicture(Path.GetFileName(name), where, () =>
        {
            FileInfo picture = new(path);
            if (!picture.Exists)
            {
                throw new DatasetException(where, $"a picture at '{path}'", "nothing there");
            }
            return picture.Length <= Imaging.Picture.MaxEncodedBytes
                ? File.ReadAllBytes(path)
                : throw new DatasetException(where, $"a picture of at most {Imaging.Picture.MaxEncodedBytes} bytes", $"{picture.Length} at '{path}'");
        });
    }

    private static string Place(string file, long number) => $"'{file}', line {number}";
}
