using Parquet;
using Parquet.Schema;

namespace Dsd.Dataset.Formats;

/// <summary>Writes <c>data/train-00000-of-000NN.parquet</c> with pictures in them.</summary>
internal sealed class ParquetPairWriter : IPairWriter
{
    // Small enough that a viewer which streams need not read much before the first row, as Hugging Face writes pictures itself.
    private const int RowsInGroup = 100;
    private const long BytesInGroup = 32 * 1024 * 1024;
    private const string Extension = ".parquet";

    private readonly string _folder;
    private readonly long _shardBytes;
    private readonly DatasetWriteOptions _options;
    private readonly IReadOnlyList<DetailColumn> _columns;
    private readonly ParquetSchema _schema;
    private readonly List<PairRecord> _group = [];
    private long _groupBytes;
    private long _fileBytes;
    private int _files;
    private FileStream? _stream;
    private ParquetWriter? _writer;

    public ParquetPairWriter(string folder, long shardBytes, DatasetWriteOptions options)
    {
        (_options, _columns) = (options, DetailColumn.Written(options));
        _schema = Schema();
        _folder = Path.Combine(folder, "data");
        _shardBytes = shardBytes;
        Directory.CreateDirectory(_folder);
    }

    public void Write(IReadOnlyList<PairRecord> grid)
    {
        foreach (PairRecord row in grid)
        {
            long bytes = BytesOf(row);
            if (_fileBytes > 0 && _fileBytes + bytes > _shardBytes)
            {
                EndFile();
            }
            else if (_group.Count == RowsInGroup || (_group.Count > 0 && _groupBytes + bytes > BytesInGroup))
            {
                EndGroup();
            }
            _group.Add(row);
            _groupBytes += bytes;
            _fileBytes += bytes;
        }
    }

    public (long Files, long Bytes) Complete()
    {
        EndFile();
        return ShardNames.Close(_folder, _files, Extension);
    }

    public void Dispose()
    {
        // What was not completed goes with its folder: only the handle is let go.
        _stream?.Dispose();
    }

    private ParquetSchema Schema() => new(
        [
            Image("image"),
            Image("conditioning"),
            .. Further.Select(Image),
            new DataField<string>("caption", nullable: true),
            .. _columns.Select(c => (Field)(c.Kind switch
            {
                DetailKind.Flag => new DataField<bool>(c.Name, nullable: true),
                DetailKind.Number => new DataField<double>(c.Name, nullable: true),
                DetailKind.Count => new DataField<int>(c.Name, nullable: true),
                DetailKind.Texts => new ListField(c.Name, new DataField<string>("element", nullable: true)),
                _ => new DataField<string>(c.Name, nullable: true),
            })),
        ]);

    private IEnumerable<string> Further => PairRecord.FurtherColumns("conditioning").Take(_options.References - 1);

    private static StructField Image(string name) => new(name, new DataField<byte[]>("bytes", nullable: true), new DataField<string>("path", nullable: true));

    private long BytesOf(PairRecord row) =>
        row.Image.ReadBytes().Length + row.Conditioning.ReadBytes().Length + row.FurtherConditioning.Sum(p => (long)p.ReadBytes().Length) + row.Caption.Length
        + _columns.Sum(c => c.Get(row.Details) switch
        {
            string text => text.Length,
            IReadOnlyList<string> texts => texts.Sum(t => t.Length),
            _ => 8L,
        });

    private void EndFile()
    {
        EndGroup();
        if (_writer is not null)
        {
            Wait(_writer.DisposeAsync().AsTask());
            _writer = null;
        }
        _stream?.Dispose();
        _stream = null;
        _fileBytes = 0;
    }

    private void EndGroup()
    {
        if (_group.Count == 0)
        {
            return;
        }
        if (_writer is null)
        {
            _stream = new FileStream(ShardNames.Open(_folder, _files++, Extension), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            Task<ParquetWriter> opening = ParquetWriter.CreateAsync(_schema, _stream, new ParquetOptions { CompressionMethod = CompressionMethod.Snappy });
            Wait(opening);
            _writer = opening.Result;
            _writer.CustomMetadata = new Dictionary<string, string> { [HuggingFaceFeatures.MetadataKey] = HuggingFaceFeatures.Json(_options) };
        }
        using (ParquetRowGroupWriter group = _writer.CreateRowGroup())
        {
            Queue<DataField> fields = new(_schema.DataFields);
            WritePictures(group, fields, r => r.Image);
            WritePictures(group, fields, r => r.Conditioning);
            for (int n = 0; n < _options.References - 1; n++)
            {
                int further = n;
                WritePictures(group, fields, r => r.FurtherConditioning[further]);
            }
            WriteValues(group, fields.Dequeue(), r => ParquetTable.Characters(r.Caption));
            foreach (DetailColumn column in _columns)
            {
                WriteDetails(group, fields.Dequeue(), column);
            }
            group.CompleteValidate();
        }
        _group.Clear();
        _groupBytes = 0;
    }

    private void WritePictures(ParquetRowGroupWriter group, Queue<DataField> fields, Func<PairRecord, EncodedPicture> picture)
    {
        WriteValues(group, fields.Dequeue(), r => (ReadOnlyMemory<byte>?)picture(r).ReadBytes());
        WriteValues(group, fields.Dequeue(), r => ParquetTable.Characters(picture(r).Name));
    }

    private void WriteDetails(ParquetRowGroupWriter group, DataField field, DetailColumn column)
    {
        switch (column.Kind)
        {
            case DetailKind.Flag:
                WriteValues(group, field, r => (bool?)column.Get(r.Details));
                break;
            case DetailKind.Number:
                WriteValues(group, field, r => (double?)column.Get(r.Details));
                break;
            case DetailKind.Count:
                WriteValues(group, field, r => (int?)column.Get(r.Details));
                break;
            case DetailKind.Texts:
                WriteLists(group, field, r => (IReadOnlyList<string>?)column.Get(r.Details));
                break;
            default:
                WriteValues(group, field, r => ParquetTable.Characters((string?)column.Get(r.Details)));
                break;
        }
    }

    private void WriteValues<T>(ParquetRowGroupWriter group, DataField field, Func<PairRecord, T?> value)
        where T : struct => ParquetTable.WriteValues<T>(group, field, [.. _group.Select(value)]);

    /// <summary>
    /// A list a row, in Parquet's three levels: no list, an empty one, and (with a nullable item between) items. The first item of a row
    /// repeats nothing.
    /// </summary>
    private void WriteLists(ParquetRowGroupWriter group, DataField field, Func<PairRecord, IReadOnlyList<string>?> list)
    {
        List<ReadOnlyMemory<char>> items = [];
        List<int> definitions = [];
        List<int> repetitions = [];
        foreach (IReadOnlyList<string>? row in _group.Select(list))
        {
            if (row is null or { Count: 0 })
            {
                definitions.Add(row is null ? 0 : 1);
                repetitions.Add(0);
                continue;
            }
            for (int i = 0; i < row.Count; i++)
            {
                items.Add(row[i].AsMemory());
                definitions.Add(field.MaxDefinitionLevel);
                repetitions.Add(i == 0 ? 0 : 1);
            }
        }
        Wait(group.WriteAllPartsAsync<ReadOnlyMemory<char>>(field, items.ToArray(), definitions.ToArray(), repetitions.ToArray(), CancellationToken.None));
    }

    private static void Wait(Task task) => task.GetAwaiter().GetResult();
}
