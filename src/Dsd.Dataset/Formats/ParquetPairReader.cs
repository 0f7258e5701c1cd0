using System.Buffers.Binary;
using Parquet;
using Parquet.Schema;

namespace Dsd.Dataset.Formats;

/// <summary>Reads Parquet files with pictures in them. The order of columns is free, and others are left alone.</summary>
internal sealed class ParquetPairReader : PairReader
{
    // The library takes memory by what a file says of itself, so that is bounded first.
    private const int MostFooterBytes = 64 * 1024 * 1024;
    private const int MostRowsInGroup = 1_000_000;
    private const int MostListItems = 16 * MostRowsInGroup;
    private const long MostColumnBytes = 2_000_000_000;

    private readonly IReadOnlyList<string> _files;
    private readonly PairDatasetOptions _options;
    private readonly long _rows;

    public ParquetPairReader(IReadOnlyList<string> files, PairDatasetOptions options)
    {
        (_files, _options) = (files, options);
        for (int i = 0; i < files.Count; i++)
        {
            using OpenFile file = OpenFile.Open(files[i], options);
            if (i == 0)
            {
                Details = file.Details;
            }
            _rows += file.Rows;
        }
    }

    public override long? RowCount => _rows;

    public override IEnumerable<PairRecord> Read()
    {
        foreach (string name in _files)
        {
            using OpenFile file = OpenFile.Open(name, _options);
            if (Details.FirstOrDefault(d => !file.Details.Contains(d)) is { } missing)
            {
                throw new DatasetException($"'{name}'", $"a column '{missing.Name}', as '{_files[0]}' has", "none");
            }
            foreach (PairRecord row in file.Read(Details))
            {
                yield return row;
            }
        }
    }

    /// <summary>One file while it is read.</summary>
    private sealed class OpenFile : IDisposable
    {
        private readonly string _name;
        private readonly PairDatasetOptions _options;
        private readonly FileStream _stream;
        private readonly ParquetReader _reader;
        private readonly (DataField Bytes, DataField? Path) _image;
        private readonly (DataField Bytes, DataField? Path) _conditioning;
        private readonly DataField _caption;
        private readonly Dictionary<string, DataField> _details = [];

        private OpenFile(string name, PairDatasetOptions options, FileStream stream)
        {
            (_name, _options, _stream) = (name, options, stream);
            CheckFooter();
            _reader = Guarded($"'{_name}'", "a Parquet file", () => ParquetReader.CreateAsync(stream, leaveStreamOpen: true));
            _image = Picture(options.ImageColumn);
            _conditioning = Picture(options.ConditioningColumn);
            _caption = Column(options.CaptionColumn, DetailKind.Text, "text") ?? throw Missing(options.CaptionColumn, "text");
            foreach (DetailColumn column in options.ReadDetails ? DetailColumn.All : [])
            {
                if (Column(column.Name, column.Kind, $"kind {column.Kind}") is { } field)
                {
                    _details.Add(column.Name, field);
                }
            }
            for (int group = 0; group < _reader.RowGroupCount; group++)
            {
                long rows = _reader.RowGroups[group].RowCount;
                Rows += rows is >= 0 and <= MostRowsInGroup ? rows : throw new DatasetException($"'{_name}', row group {group}", $"at most {MostRowsInGroup} rows", $"{rows}");
            }
        }

        public long Rows { get; }

        public IReadOnlyList<DetailColumn> Details => [.. DetailColumn.All.Where(c => _details.ContainsKey(c.Name))];

        public static OpenFile Open(string name, PairDatasetOptions options)
        {
            FileStream stream = PairReader.Open(name);
            try
            {
                return new OpenFile(name, options, stream);
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }

        public void Dispose()
        {
            _reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
            _stream.Dispose();
        }

        public IEnumerable<PairRecord> Read(IReadOnlyList<DetailColumn> columns)
        {
            long before = 0;
            foreach (ParquetRowGroupReader group in _reader.RowGroups)
            {
                int rows = (int)group.RowCount;
                ReadOnlyMemory<char>?[] captions = Values<ReadOnlyMemory<char>>(group, _caption);
                Dictionary<string, Array> details = columns.ToDictionary(c => c.Name, c => Detail(group, c));
                Func<int, EncodedPicture> image = Pictures(group, _image, _options.ImageColumn, before);
                Func<int, EncodedPicture> conditioning = Pictures(group, _conditioning, _options.ConditioningColumn, before);
                for (int i = 0; i < rows; i++)
                {
                    int row = i;
                    yield return new PairRecord
                    {
                        Source = Place(before + i),
                        Image = image(i),
                        Conditioning = conditioning(i),
                        Caption = captions[i]?.ToString() ?? throw new DatasetException($"{Place(before + i)}, column '{_options.CaptionColumn}'", "a text", "null"),
                        Details = PairDetails.Of(name => details.TryGetValue(name, out Array? values) ? values.GetValue(row) : null),
                    };
                }
                before += rows;
            }
        }

        private string Place(long row) => $"'{_name}', row {row}";

        private void CheckFooter()
        {
            Span<byte> end = stackalloc byte[8];
            if (_stream.Length < 12)
            {
                throw new DatasetException($"'{_name}'", "a Parquet file", $"{_stream.Length} bytes");
            }
            _stream.Seek(-8, SeekOrigin.End);
            _stream.ReadExactly(end);
            int footer = BinaryPrimitives.ReadInt32LittleEndian(end);
            if (!end[4..].SequenceEqual("PAR1"u8))
            {
                throw new DatasetException($"'{_name}'", "a Parquet file, which ends in 'PAR1'", "another kind of file, or half of one");
            }
            if (footer < 0 || footer > MostFooterBytes || footer > _stream.Length - 12)
            {
                throw new DatasetException($"'{_name}'", $"a footer of at most {Math.Min(MostFooterBytes, _stream.Length - 12)} bytes", $"one that claims {footer}");
            }
        }

        private (DataField Bytes, DataField? Path) Picture(string name)
        {
            Field field = _reader.Schema.Fields.FirstOrDefault(f => f.Name == name) ?? throw Missing(name, "pictures");
            DataField? bytes = field as DataField ?? Child("bytes");
            return bytes is { MaxRepetitionLevel: 0 } && bytes.ClrType == typeof(ReadOnlyMemory<byte>)
                ? (bytes, Child("path") is { MaxRepetitionLevel: 0 } path && path.ClrType == typeof(ReadOnlyMemory<char>) ? path : null)
                : throw new DatasetException($"'{_name}', column '{name}'", "pictures: bytes, or a struct of 'bytes' and 'path'", $"{field}");

            DataField? Child(string child) => (field as StructField)?.Fields.OfType<DataField>().FirstOrDefault(f => f.Name == child);
        }

        /// <summary>A column; null where there is none.</summary>
        private DataField? Column(string name, DetailKind kind, string expected)
        {
            Field? field = _reader.Schema.Fields.FirstOrDefault(f => f.Name == name);
            if (field is null)
            {
                return null;
            }
            DataField? data = kind == DetailKind.Texts ? (field as ListField)?.Item as DataField : field as DataField;
            Type[] types = kind switch
            {
                DetailKind.Flag => [typeof(bool)],
                DetailKind.Number => [typeof(double), typeof(float)],
                DetailKind.Count => [typeof(int), typeof(long)],
                _ => [typeof(ReadOnlyMemory<char>)],
            };
            return data is not null && types.Contains(data.ClrType) && data.MaxRepetitionLevel == (kind == DetailKind.Texts ? 1 : 0)
                ? data
                : throw new DatasetException($"'{_name}', column '{name}'", $"values of {expected}", $"{field}. {PairDatasetOptions.HowToLeaveOut}");
        }

        private DatasetException Missing(string name, string what) =>
            new($"'{_name}'", $"a column '{name}' of {what}", $"only {string.Join(", ", _reader.Schema.Fields.Take(20).Select(f => $"'{f.Name}'"))}");

        private Array Detail(ParquetRowGroupReader group, DetailColumn column)
        {
            DataField field = _details[column.Name];
            return column.Kind switch
            {
                DetailKind.Flag => Array.ConvertAll(Values<bool>(group, field), v => (object?)v),
                DetailKind.Number when field.ClrType == typeof(float) => Array.ConvertAll(Values<float>(group, field), v => (object?)(double?)v),
                DetailKind.Number => Array.ConvertAll(Values<double>(group, field), v => (object?)v),
                DetailKind.Count when field.ClrType == typeof(long) => Array.ConvertAll(Values<long>(group, field), v => (object?)(v is null ? null : Narrow(v.Value, column))),
                DetailKind.Count => Array.ConvertAll(Values<int>(group, field), v => (object?)v),
                DetailKind.Texts => Lists(group, field),
                _ => Array.ConvertAll(Values<ReadOnlyMemory<char>>(group, field), v => v?.ToString()),
            };
        }

        private int? Narrow(long value, DetailColumn column) =>
            value is >= int.MinValue and <= int.MaxValue ? (int)value : throw new DatasetException($"'{_name}', column '{column.Name}'", "numbers of 32 bits", $"{value}");

        /// <summary>Pictures of a group. Their names are read with the group, their bytes when the first is asked for.</summary>
        private Func<int, EncodedPicture> Pictures(ParquetRowGroupReader group, (DataField Bytes, DataField? Path) column, string name, long before)
        {
            ReadOnlyMemory<char>?[]? names = column.Path is null ? null : Values<ReadOnlyMemory<char>>(group, column.Path);
            ReadOnlyMemory<byte>?[]? bytes = null;
            return row =>
            {
                string place = $"{Place(before + row)}, column '{name}'";
                return new EncodedPicture(names?[row]?.ToString(), place, () =>
                {
                    bytes ??= _stream.CanRead ? Values<ReadOnlyMemory<byte>>(group, column.Bytes) : throw Gone(place);
                    ReadOnlyMemory<byte> picture = bytes[row] ?? throw new DatasetException(place, "a picture's bytes", names?[row] is null ? "null" : "only a file's name");
                    return picture.Length <= Imaging.Picture.MaxEncodedBytes ? picture : throw new DatasetException(place, $"at most {Imaging.Picture.MaxEncodedBytes} bytes", $"{picture.Length}");
                });
            };
        }

        private T?[] Values<T>(ParquetRowGroupReader group, DataField field)
            where T : struct
        {
            int rows = (int)group.RowCount;
            (T[] values, int[] levels, _) = Raw<T>(group, field, rows);
            T?[] result = new T?[rows];
            int next = 0;
            for (int i = 0; i < rows; i++)
            {
                result[i] = field.MaxDefinitionLevel == 0 || levels[i] == field.MaxDefinitionLevel ? values[next++] : null;
            }
            return result;
        }

        /// <summary>Lists of texts: a level below the deepest says that there is no item, two below it (or, in a column without nulls, one) no list.</summary>
        private string[]?[] Lists(ParquetRowGroupReader group, DataField field)
        {
            int rows = (int)group.RowCount;
            (ReadOnlyMemory<char>[] items, int[] definitions, int[] repetitions) = Raw<ReadOnlyMemory<char>>(group, field, null);
            List<string>?[] lists = new List<string>?[rows];
            (int row, int next) = (-1, 0);
            // The list itself stands where its items do not: as deep as what repeats, less one.
            int itemLevel = field.MaxDefinitionLevel;
            int emptyLevel = itemLevel - (field.IsNullable ? 2 : 1);
            for (int i = 0; i < definitions.Length; i++)
            {
                row += repetitions[i] == 0 ? 1 : 0;
                if (row < 0 || row >= rows)
                {
                    throw new DatasetException($"'{_name}', column '{field.Path}'", $"lists of {rows} rows", "others");
                }
                if (definitions[i] < emptyLevel)
                {
                    continue;
                }
                List<string> list = lists[row] ??= [];
                if (definitions[i] == itemLevel)
                {
                    list.Add(items[next++].ToString());
                }
                else if (definitions[i] > emptyLevel)
                {
                    throw new DatasetException($"'{_name}', column '{field.Path}'", "texts in lists", "null");
                }
            }
            return row == rows - 1 ? Array.ConvertAll(lists, l => l?.ToArray()) : throw new DatasetException($"'{_name}', column '{field.Path}'", $"lists of {rows} rows", $"{row + 1}");
        }

        private (T[] Values, int[] Definitions, int[] Repetitions) Raw<T>(ParquetRowGroupReader group, DataField field, int? expected)
            where T : struct
        {
            string place = $"'{_name}', column '{field.Path}'";
            Parquet.Meta.ColumnMetaData meta = group.GetMetadata(field)?.MetaData ?? throw new DatasetException(place, "values", "none");
            if (meta.TotalUncompressedSize is < 0 or > MostColumnBytes || meta.TotalCompressedSize < 0 || meta.TotalCompressedSize > _stream.Length)
            {
                throw new DatasetException(place, $"at most {MostColumnBytes} bytes in a row group", $"{meta.TotalUncompressedSize} ({meta.TotalCompressedSize} compressed)");
            }
            if (expected is { } rows ? meta.NumValues != rows : meta.NumValues is < 0 or > MostListItems)
            {
                throw new DatasetException(place, expected is null ? $"at most {MostListItems} values in a row group" : $"{expected} values, as the row group has rows", $"{meta.NumValues}");
            }
            int count = (int)meta.NumValues;
            T[] values = new T[count];
            int[]? definitions = field.MaxDefinitionLevel > 0 ? new int[count] : null;
            int[]? repetitions = field.MaxRepetitionLevel > 0 ? new int[count] : null;
            Guarded(place, "readable values", async () =>
            {
                await group.ReadRawAsync<T>(field, values, Levels(definitions), Levels(repetitions)).ConfigureAwait(false);
                return true;
            });
            return (values, definitions ?? [], repetitions ?? []);

            // Written out: an array that is null would become memory that is empty.
            static Memory<int>? Levels(int[]? levels) => levels is null ? new Memory<int>?() : levels.AsMemory();
        }

        /// <summary>Runs the library, which throws whatever it meets in a file that is damaged.</summary>
        private T Guarded<T>(string place, string expected, Func<Task<T>> read)
        {
            try
            {
                return read().GetAwaiter().GetResult();
            }
            catch (Exception e) when (e is not (DatasetException or UnauthorizedAccessException))
            {
                throw new DatasetException(place, expected, $"a file that is damaged or of a kind that is not read ({e.GetType().Name}: {e.Message.TrimEnd('.')})", e);
            }
        }
    }
}
