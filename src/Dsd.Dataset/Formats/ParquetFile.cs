using Parquet;
using Parquet.Meta;
using Parquet.Schema;

namespace Dsd.Dataset.Formats;

/// <summary>
/// A Parquet file while it is read. What it says of itself is checked before it is believed, and texts are read as the bytes that they are,
/// since the library puts replacement signs for what is not UTF-8.
/// </summary>
internal sealed class ParquetFile : IDisposable
{
    private const int MostRowsInGroup = 1_000_000;
    private const int MostListItems = 16 * MostRowsInGroup;

    private readonly FileStream _stream;
    private readonly BoundedReads _reads;
    private readonly ParquetReader _reader;
    private readonly ParquetSchema _schema;
    private readonly HashSet<string> _texts;

    private ParquetFile(string name, FileStream stream, CancellationToken cancel)
    {
        (Name, _stream) = (name, stream);
        ParquetBounds.CheckFooter(stream, $"'{name}'");
        _reads = new BoundedReads(stream) { Cancel = cancel };
        (_reader, _schema, _texts) = Guarded($"'{name}'", "a Parquet file", async () =>
        {
            ParquetReader reader = await ParquetReader.CreateAsync(_reads, leaveStreamOpen: true, cancellationToken: cancel).ConfigureAwait(false);
            HashSet<string> texts = [.. reader.Schema.DataFields.Where(f => f.ClrType == typeof(ReadOnlyMemory<char>)).Select(f => f.Path.ToString())];
            foreach (SchemaElement element in reader.Metadata!.Schema.Where(e => e.Type == Parquet.Meta.Type.BYTE_ARRAY))
            {
                (element.ConvertedType, element.LogicalType) = (null, null);
            }
            return (reader, reader.Schema, texts);
        });
        for (int group = 0; group < _reader.RowGroupCount; group++)
        {
            long rows = _reader.RowGroups[group].RowCount;
            RowCount += rows is >= 0 and <= MostRowsInGroup
                ? rows
                : throw new DatasetException($"'{name}', row group {group}", $"at most {MostRowsInGroup} rows", $"{rows}");
        }
    }

    /// <summary>The file.</summary>
    public string Name { get; }

    /// <summary>How many rows it has.</summary>
    public long RowCount { get; }

    /// <summary>The names of its columns.</summary>
    public IEnumerable<string> Names => _schema.Fields.Select(f => f.Name);

    /// <summary>Its row groups, each with the number of rows before it.</summary>
    public IEnumerable<(ParquetRowGroupReader Group, long Before)> Groups
    {
        get
        {
            long before = 0;
            foreach (ParquetRowGroupReader group in _reader.RowGroups)
            {
                yield return (group, before);
                before += group.RowCount;
            }
        }
    }

    /// <summary>Whether bytes can be read still.</summary>
    public bool IsOpen => _stream.CanRead;

    /// <summary>Opens a file.</summary>
    /// <param name="name">The file.</param>
    /// <param name="cancel">Checked at every reading.</param>
    /// <exception cref="DatasetException">It is no Parquet file, or is damaged.</exception>
    public static ParquetFile Open(string name, CancellationToken cancel)
    {
        FileStream stream = PairReader.Open(name);
        try
        {
            return new ParquetFile(name, stream, cancel);
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

    /// <summary>Its rows, each with its number from 0.</summary>
    /// <param name="wanted">The columns that may be asked for, as far as they are there, and what they hold.</param>
    /// <exception cref="DatasetException">A column holds something else.</exception>
    public IEnumerable<(long Number, RowValues Row)> Rows(IEnumerable<(string Name, DetailKind Kind)> wanted)
    {
        Dictionary<string, (DetailKind Kind, DataField Field)> columns = [];
        foreach ((string name, DetailKind kind) in wanted)
        {
            if (Column(name, kind) is { } field)
            {
                columns.TryAdd(name, (kind, field));
            }
        }
        string[] names = [.. Names];
        foreach ((ParquetRowGroupReader group, long before) in Groups)
        {
            Dictionary<string, Array> values = columns.ToDictionary(c => c.Key, c => Values(group, c.Value.Field, c.Value.Kind, before));
            for (int i = 0; i < group.RowCount; i++)
            {
                yield return (before + i, new ParquetValues(names, values, i));
            }
        }
    }

    /// <summary>A column of pictures: their bytes, and where there are, their names.</summary>
    /// <exception cref="DatasetException">There is no such column.</exception>
    public (DataField Bytes, DataField? Path) Picture(string name)
    {
        Field field = Field(name) ?? throw Missing(name, "pictures");
        DataField? bytes = field as DataField ?? Child("bytes");
        return bytes is { MaxRepetitionLevel: 0 } && bytes.ClrType == typeof(ReadOnlyMemory<byte>) && !_texts.Contains(bytes.Path.ToString())
            ? (bytes, Child("path") is { MaxRepetitionLevel: 0 } path && _texts.Contains(path.Path.ToString()) ? path : null)
            : throw new DatasetException($"'{Name}', column '{name}'", "pictures: bytes, or a struct of 'bytes' and 'path'", Described(field));

        DataField? Child(string child) => (field as StructField)?.Fields.OfType<DataField>().FirstOrDefault(f => f.Name == child);
    }

    /// <summary>A column; null where there is none.</summary>
    /// <exception cref="DatasetException">It holds something else.</exception>
    public DataField? Column(string name, DetailKind kind)
    {
        if (Field(name) is not { } field)
        {
            return null;
        }
        DataField? data = kind == DetailKind.Texts ? (field as ListField)?.Item as DataField : field as DataField;
        System.Type[] types = kind switch
        {
            DetailKind.Flag => [typeof(bool)],
            DetailKind.Number or DetailKind.Count => [typeof(double), typeof(float), typeof(int), typeof(long)],
            _ => [typeof(ReadOnlyMemory<byte>)],
        };
        bool isText = kind is DetailKind.Text or DetailKind.Texts;
        return data is not null && types.Contains(data.ClrType) && isText == _texts.Contains(data.Path.ToString())
            && data.MaxRepetitionLevel == (kind == DetailKind.Texts ? 1 : 0)
            ? data
            : throw new DatasetException($"'{Name}', column '{name}'", $"values of kind {kind}", $"{Described(field)}. {PairDatasetOptions.HowToLeaveOut}");
    }

    /// <summary>What is thrown where a column is not there.</summary>
    public DatasetException Missing(string name, string what) =>
        new($"'{Name}'", $"a column '{name}' of {what}", $"only {string.Join(", ", Names.Take(20).Select(f => $"'{f}'"))}");

    /// <summary>A column's values in a row group, in the types that <see cref="DetailColumn.Get"/> gives for the kind.</summary>
    public Array Values(ParquetRowGroupReader group, DataField field, DetailKind kind, long before) => kind switch
    {
        DetailKind.Flag => Array.ConvertAll(Values<bool>(group, field), v => (object?)v),
        DetailKind.Number => Array.ConvertAll(Numbers(group, field), v => (object?)v),
        DetailKind.Count => Array.ConvertAll(Numbers(group, field), v => (object?)(v is null ? null : Whole(v.Value, field))),
        DetailKind.Texts => Lists(group, field),
        _ => Texts(group, field, before),
    };

    /// <summary>A column's texts in a row group.</summary>
    /// <exception cref="DatasetException">One is not UTF-8; the message names its row.</exception>
    public string?[] Texts(ParquetRowGroupReader group, DataField field, long before) =>
        [.. Values<ReadOnlyMemory<byte>>(group, field).Select(
            (v, row) => v is null ? null : StrictText.Decode(v.Value.Span, $"'{Name}', row {before + row}, column '{field.Path}'"))];

    /// <summary>A column's values in a row group.</summary>
    public T?[] Values<T>(ParquetRowGroupReader group, DataField field)
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

    private double?[] Numbers(ParquetRowGroupReader group, DataField field) =>
        field.ClrType == typeof(double) ? Values<double>(group, field)
        : field.ClrType == typeof(float) ? Array.ConvertAll(Values<float>(group, field), v => (double?)v)
        : field.ClrType == typeof(long) ? Array.ConvertAll(Values<long>(group, field), v => (double?)v)
        : Array.ConvertAll(Values<int>(group, field), v => (double?)v);

    // Programs that know no whole numbers without a value write 3.0, and not-a-number for what is missing.
    private int? Whole(double value, DataField field) =>
        double.IsNaN(value) ? null
        : value == Math.Floor(value) && value is >= int.MinValue and <= int.MaxValue ? (int)value
        : throw new DatasetException($"'{Name}', column '{field.Path}'", "whole numbers of 32 bits", $"{value}");

    /// <summary>Lists of texts: a level below the deepest says that there is no item, two below it (or, in a column without nulls, one) no list.</summary>
    private string[]?[] Lists(ParquetRowGroupReader group, DataField field)
    {
        int rows = (int)group.RowCount;
        string place = $"'{Name}', column '{field.Path}'";
        (ReadOnlyMemory<byte>[] items, int[] definitions, int[] repetitions) = Raw<ReadOnlyMemory<byte>>(group, field, null);
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
                throw new DatasetException(place, $"lists of {rows} rows", "others");
            }
            if (definitions[i] < emptyLevel)
            {
                continue;
            }
            List<string> list = lists[row] ??= [];
            if (definitions[i] == itemLevel)
            {
                list.Add(StrictText.Decode(items[next++].Span, place));
            }
            else if (definitions[i] > emptyLevel)
            {
                throw new DatasetException(place, "texts in lists", "null");
            }
        }
        return row == rows - 1 ? Array.ConvertAll(lists, l => l?.ToArray()) : throw new DatasetException(place, $"lists of {rows} rows", $"{row + 1}");
    }

    private (T[] Values, int[] Definitions, int[] Repetitions) Raw<T>(ParquetRowGroupReader group, DataField field, int? expected)
        where T : struct
    {
        string place = $"'{Name}', column '{field.Path}'";
        ColumnMetaData meta = group.GetMetadata(field)?.MetaData ?? throw new DatasetException(place, "values", "none");
        if (meta.TotalUncompressedSize is < 0 or > ParquetBounds.MostColumnBytes || meta.TotalCompressedSize < 0 || meta.TotalCompressedSize > _stream.Length)
        {
            throw new DatasetException(
                place,
                $"at most {ParquetBounds.MostColumnBytes} bytes in a row group",
                $"{meta.TotalUncompressedSize} ({meta.TotalCompressedSize} compressed)");
        }
        if (expected is { } rows ? meta.NumValues != rows : meta.NumValues is < 0 or > MostListItems)
        {
            throw new DatasetException(
                place,
                expected is null ? $"at most {MostListItems} values in a row group" : $"{expected} values, as the row group has rows",
                $"{meta.NumValues}");
        }
        (_reads.Begin, _reads.End) = ParquetBounds.CheckPages(_stream.SafeFileHandle, meta, place, _reads.Cancel);
        int count = (int)meta.NumValues;
        T[] values = new T[count];
        int[]? definitions = field.MaxDefinitionLevel > 0 ? new int[count] : null;
        int[]? repetitions = field.MaxRepetitionLevel > 0 ? new int[count] : null;
        Guarded(place, "readable values", async () =>
        {
            await group.ReadRawAsync<T>(field, values, Levels(definitions), Levels(repetitions), _reads.Cancel).ConfigureAwait(false);
            return true;
        });
        return (values, definitions ?? [], repetitions ?? []);

        // Written out: an array that is null would become memory that is empty.
        static Memory<int>? Levels(int[]? levels) => levels is null ? new Memory<int>?() : levels.AsMemory();
    }

    private Field? Field(string name) => _schema.Fields.FirstOrDefault(f => f.Name == name);

    private string Described(Field field) => field switch
    {
        DataField data when _texts.Contains(data.Path.ToString()) => "texts",
        DataField data when data.ClrType == typeof(ReadOnlyMemory<byte>) => "bytes",
        DataField data when data.ClrType == typeof(bool) => "flags",
        DataField data when data.ClrType.IsPrimitive => "numbers",
        StructField structure => $"a struct of {string.Join(", ", structure.Fields.Take(20).Select(f => $"'{f.Name}'"))}",
        ListField => "lists",
        _ => "values of another type",
    };

    /// <summary>Runs the library, which throws whatever it meets in a file that is damaged.</summary>
    private static T Guarded<T>(string place, string expected, Func<Task<T>> read)
    {
        try
        {
            return read().GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not (DatasetException or UnauthorizedAccessException or OperationCanceledException))
        {
            throw new DatasetException(place, expected, $"a file that is damaged or of a kind that is not read ({e.Message.TrimEnd('.')})", e);
        }
    }
}
