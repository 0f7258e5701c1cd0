using Parquet;
using Parquet.Schema;

namespace Dsd.Dataset.Formats;

/// <summary>Reads Parquet files with pictures in them. The order of columns is free, and others are left alone.</summary>
internal sealed class ParquetPairReader : PairReader
{
    private readonly IReadOnlyList<string> _files;
    private readonly PairDatasetOptions _options;
    private readonly long _rows;

    public ParquetPairReader(IReadOnlyList<string> files, PairDatasetOptions options, CancellationToken cancel)
    {
        (_files, _options) = (files, options);
        for (int i = 0; i < files.Count; i++)
        {
            using OpenFile file = new(files[i], options, cancel);
            if (i == 0)
            {
                Details = file.Details;
            }
            _rows += file.RowCount;
        }
    }

    public override long? RowCount => _rows;

    public override IEnumerable<PairRecord> Read(CancellationToken cancel)
    {
        foreach (string name in _files)
        {
            using OpenFile file = new(name, _options, cancel);
            if (Details.FirstOrDefault(d => !file.Details.Contains(d)) is { } missing)
            {
                throw new DatasetException($"'{name}'", $"a column '{missing.Name}', as '{_files[0]}' has", "none");
            }
            foreach (PairRecord row in file.Read(Details))
            {
                cancel.ThrowIfCancellationRequested();
                yield return row;
            }
        }
    }

    /// <summary>One file while it is read.</summary>
    private sealed class OpenFile : IDisposable
    {
        private readonly ParquetFile _file;
        private readonly PairDatasetOptions _options;
        private readonly (DataField Bytes, DataField? Path) _image;
        private readonly (DataField Bytes, DataField? Path) _conditioning;
        private readonly IReadOnlyList<(string Name, (DataField Bytes, DataField? Path) Field)> _further;
        private readonly DataField _caption;
        private readonly Dictionary<string, DataField> _details = [];

        public OpenFile(string name, PairDatasetOptions options, CancellationToken cancel)
        {
            _options = options;
            _file = ParquetFile.Open(name, cancel);
            try
            {
                _image = _file.Picture(options.ImageColumn);
                _conditioning = _file.Picture(options.ConditioningColumn);
                _further = options.ReadDetails
                    ? [.. PairRecord.FurtherColumns(options.ConditioningColumn).TakeWhile(_file.Names.Contains).Select(c => (c, _file.Picture(c)))]
                    : [];
                _caption = _file.Column(options.CaptionColumn, DetailKind.Text) ?? throw _file.Missing(options.CaptionColumn, "texts");
                foreach (DetailColumn column in options.ReadDetails ? DetailColumn.All : [])
                {
                    if (_file.Column(column.Name, column.Kind) is { } field)
                    {
                        _details.Add(column.Name, field);
                    }
                }
            }
            catch
            {
                _file.Dispose();
                throw;
            }
        }

        public long RowCount => _file.RowCount;

        public IReadOnlyList<DetailColumn> Details => [.. DetailColumn.All.Where(c => _details.ContainsKey(c.Name))];

        public void Dispose() => _file.Dispose();

        public IEnumerable<PairRecord> Read(IReadOnlyList<DetailColumn> columns)
        {
            foreach ((ParquetRowGroupReader group, long before) in _file.Groups)
            {
                string?[] captions = _file.Texts(group, _caption, before);
                Dictionary<string, Array> details = columns.ToDictionary(c => c.Name, c => _file.Values(group, _details[c.Name], c.Kind, before));
                Func<int, EncodedPicture> image = Pictures(group, _image, _options.ImageColumn, before);
                Func<int, EncodedPicture> conditioning = Pictures(group, _conditioning, _options.ConditioningColumn, before);
                Func<int, EncodedPicture>[] further = [.. _further.Select(f => Pictures(group, f.Field, f.Name, before))];
                for (int i = 0; i < captions.Length; i++)
                {
                    int row = i;
                    yield return new PairRecord
                    {
                        Source = Place(before + i),
                        Image = image(i),
                        Conditioning = conditioning(i),
                        FurtherConditioning = [.. further.Select(f => f(row))],
                        Caption = captions[i] ?? throw new DatasetException($"{Place(before + i)}, column '{_options.CaptionColumn}'", "a text", "null"),
                        Details = PairDetails.Of(name => details.TryGetValue(name, out Array? values) ? values.GetValue(row) : null),
                    };
                }
            }
        }

        private string Place(long row) => $"'{_file.Name}', row {row}";

        /// <summary>Pictures of a group. Their names are read with the group, their bytes when the first is asked for.</summary>
        private Func<int, EncodedPicture> Pictures(ParquetRowGroupReader group, (DataField Bytes, DataField? Path) column, string name, long before)
        {
            string?[]? names = column.Path is null ? null : _file.Texts(group, column.Path, before);
            ReadOnlyMemory<byte>?[]? bytes = null;
            return row =>
            {
                string place = $"{Place(before + row)}, column '{name}'";
                return new EncodedPicture(names?[row], place, () =>
                {
                    bytes ??= _file.IsOpen ? _file.Values<ReadOnlyMemory<byte>>(group, column.Bytes) : throw Gone(place);
                    ReadOnlyMemory<byte> picture = bytes[row] ?? throw new DatasetException(
                        place, "a picture's bytes", names?[row] is null ? "null" : "only a file's name");
                    return picture.Length <= Imaging.Picture.MaxEncodedBytes
                        ? picture
                        : throw new DatasetException(place, $"at most {Imaging.Picture.MaxEncodedBytes} bytes", $"{picture.Length}");
                });
            };
        }
    }
}
