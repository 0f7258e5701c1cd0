namespace Dsd.Dataset.Formats;

/// <summary>Reads picture files and the <c>metadata.jsonl</c>, <c>metadata.csv</c> or <c>metadata.parquet</c> that names them.</summary>
/// <remarks>Names of columns and files are read as <c>datasets</c> 5.0 reads them (<c>folder_based_builder.py</c>).</remarks>
internal sealed class ImageFolderPairReader : PairReader
{
    /// <summary>The file that is written.</summary>
    public const string MetadataFile = "metadata.jsonl";

    /// <summary>The files that make a folder an imagefolder with captions, for messages.</summary>
    public const string MetadataFiles = "metadata.jsonl, metadata.csv or metadata.parquet";

    private const string FileName = "file_name";
    private const int MostName = 1000;

    private readonly IReadOnlyList<string> _files;
    private readonly PairDatasetOptions _options;

    public ImageFolderPairReader(IReadOnlyList<string> files, PairDatasetOptions options, CancellationToken cancel)
    {
        (_files, _options) = (files, options);
        string[] endings = [.. files.Select(f => Path.GetExtension(f)).Distinct()];
        if (endings.Length > 1)
        {
            throw new DatasetException($"'{files[0]}'", "metadata files of one kind", string.Join(" and ", endings.Select(e => $"metadata{e}")));
        }
        using IEnumerator<(string File, string Place, RowValues Row)> rows = Rows(cancel).GetEnumerator();
        if (rows.MoveNext())
        {
            Details = options.ReadDetails ? rows.Current.Row.Columns() : [];
            _ = Record(rows.Current.File, rows.Current.Place, rows.Current.Row);
        }
    }

    public override IEnumerable<PairRecord> Read(CancellationToken cancel)
    {
        foreach ((string file, string place, RowValues row) in Rows(cancel))
        {
            yield return Record(file, place, row);
        }
    }

    private IEnumerable<(string File, string Place, RowValues Row)> Rows(CancellationToken cancel)
    {
        foreach (string file in _files)
        {
            foreach ((string place, RowValues row) in Path.GetExtension(file) switch
            {
                ".csv" => CsvRows(file),
                ".parquet" => ParquetRows(file, cancel),
                _ => JsonRows(file),
            })
            {
                cancel.ThrowIfCancellationRequested();
                yield return (file, place, row);
            }
        }
    }

    private static IEnumerable<(string Place, RowValues Row)> JsonRows(string file)
    {
        using FileStream stream = Open(file);
        foreach ((long number, ReadOnlyMemory<byte> line) in JsonLines.Read(stream, JsonValues.MaxBytes, file))
        {
            string place = $"'{file}', line {number}";
            yield return (place, JsonValues.Parse(line, place));
        }
    }

    private static IEnumerable<(string Place, RowValues Row)> CsvRows(string file)
    {
        using FileStream stream = Open(file);
        List<string>? names = null;
        foreach ((long number, string[] cells) in CsvRecords.Read(stream, JsonValues.MaxBytes, file))
        {
            string place = $"'{file}', line {number}";
            if (names is null)
            {
                names = cells.Distinct(StringComparer.Ordinal).Count() == cells.Length
                    ? [.. cells]
                    : throw new DatasetException(place, "columns of different names", "one twice");
                continue;
            }
            yield return cells.Length <= names.Count
                ? (place, new CsvValues(names, cells))
                : throw new DatasetException(place, $"at most {names.Count} cells, as the first line has", $"{cells.Length}");
        }
    }

    private IEnumerable<(string Place, RowValues Row)> ParquetRows(string file, CancellationToken cancel)
    {
        string[] texts = [FileName, FileColumn(_options.ImageColumn), FileColumn(_options.ConditioningColumn), _options.CaptionColumn];
        IEnumerable<(string, DetailKind)> wanted = texts.Select(name => (name, DetailKind.Text));
        if (_options.ReadDetails)
        {
            wanted = wanted.Concat(PairRecord.FurtherColumns(_options.ConditioningColumn).Select(c => (FileColumn(c), DetailKind.Text)))
                .Concat(DetailColumn.All.Select(c => (c.Name, c.Kind)));
        }
        using ParquetFile parquet = ParquetFile.Open(file, cancel);
        foreach ((long number, RowValues row) in parquet.Rows(wanted))
        {
            yield return ($"'{file}', row {number}", row);
        }
    }

    private PairRecord Record(string file, string place, RowValues row) => new()
    {
        Source = place,
        Image = Picture(file, row, _options.ImageColumn, place),
        Conditioning = Picture(file, row, _options.ConditioningColumn, place),
        FurtherConditioning = _options.ReadDetails
            ? [.. PairRecord.FurtherColumns(_options.ConditioningColumn).TakeWhile(c => row.Has(FileColumn(c))).Select(c => Picture(file, row, c, place))]
            : [],
        Caption = row.Text(_options.CaptionColumn, place),
        Details = row.Details(Details, place),
    };

    private static string FileColumn(string column) => $"{column}_{FileName}";

    private static EncodedPicture Picture(string file, RowValues row, string name, string place)
    {
        // 'file_name' alone is the column that 'datasets' calls image.
        string column = name == "image" && !row.Has(FileColumn(name)) ? FileName : FileColumn(name);
        string where = $"{place}, column '{column}'";
        string below = Below(row.Text(column, place), where);
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, below);
        return new EncodedPicture(Path.GetFileName(below), where, () =>
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

    /// <summary>
    /// A name with the system's separators and without parts that say nothing. Names are the dataset's, and lead nowhere but below its
    /// folder.
    /// </summary>
    private static string Below(string name, string where)
    {
        // Programs of Windows write backslashes, and 'datasets' reads them as slashes everywhere.
        string[] parts = name.Replace('\\', '/').Split('/');
        return name.Length <= MostName && !name.Contains(':') && !name.Contains('\0') && parts[0].Length > 0 && parts[^1] is not ("" or ".")
            && !parts.Contains("..")
            ? Path.Combine([.. parts.Where(p => p is not ("" or "."))])
            : throw new DatasetException(
                where, "a file below the metadata's folder, such as 'ab/1.png'", $"'{(name.Length <= 200 ? name : $"{name[..200]}…")}'");
    }
}
