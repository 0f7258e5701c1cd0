using System.Buffers;
using System.Formats.Tar;
using System.Text.Json;

namespace Dsd.Dataset.Formats;

/// <summary>Writes <c>data/train-00000-of-000NN.tar</c>, a member for each picture of a row and one for the rest.</summary>
internal sealed class WebDatasetPairWriter : IPairWriter
{
    private const string Extension = ".tar";
    private const int Block = 512;

    private readonly string _folder;
    private readonly long _shardBytes;
    private readonly ArrayBufferWriter<byte> _json = new();
    private readonly IReadOnlyList<DetailColumn> _columns;
    private int _files;
    private long _fileBytes;
    private FileStream? _stream;
    private TarWriter? _writer;

    public WebDatasetPairWriter(string folder, long shardBytes, DatasetWriteOptions options)
    {
        _folder = Path.Combine(folder, "data");
        _shardBytes = shardBytes;
        _columns = DetailColumn.Written(options);
        Directory.CreateDirectory(_folder);
    }

    public void Write(IReadOnlyList<PairRecord> grid)
    {
        foreach (PairRecord row in grid)
        {
            // What comes behind the first dot of a name is the member's; '+' stands in no id, so different ids stay different.
            string key = row.Details.Id!.Replace('.', '+');
            _json.ResetWrittenCount();
            using (Utf8JsonWriter json = new(_json, DetailsJson.Plain))
            {
                json.WriteStartObject();
                DetailsJson.Write(json, row.Caption, row.Details, _columns);
                json.WriteEndObject();
            }
            (string Name, ReadOnlyMemory<byte> Bytes)[] pictures =
            [
                Member("image", row.Image), Member("conditioning", row.Conditioning),
                .. PairRecord.FurtherColumns("conditioning").Zip(row.FurtherConditioning, Member),
            ];
            long bytes = pictures.Sum(p => Size(p.Bytes)) + Size(_json.WrittenMemory);
            // Two empty blocks end a tar.
            if (_fileBytes > 0 && _fileBytes + bytes + 2 * Block > _shardBytes)
            {
                EndFile();
            }
            _writer ??= Begin();
            foreach ((string name, ReadOnlyMemory<byte> picture) in pictures)
            {
                Add($"{key}.{name}", picture);
            }
            Add($"{key}.json", _json.WrittenMemory);
            _fileBytes += bytes;
        }

        static (string Name, ReadOnlyMemory<byte> Bytes) Member(string column, EncodedPicture picture) =>
            ($"{column}{Path.GetExtension(picture.Name)}", picture.ReadBytes());
    }

    public (long Files, long Bytes) Complete()
    {
        EndFile();
        return ShardNames.Close(_folder, _files, Extension);
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _stream?.Dispose();
    }

    private static long Size(ReadOnlyMemory<byte> member) => Block + (member.Length + Block - 1) / Block * Block;

    private TarWriter Begin()
    {
        _stream = new FileStream(ShardNames.Open(_folder, _files++, Extension), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        return new TarWriter(_stream, TarEntryFormat.Ustar, leaveOpen: true);
    }

    // No time of writing and no user: the same rows give the same bytes.
    private void Add(string name, ReadOnlyMemory<byte> bytes)
    {
        using MemoryStream data = new(bytes.ToArray(), writable: false);
        _writer!.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
        {
            DataStream = data,
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            ModificationTime = DateTimeOffset.UnixEpoch,
        });
    }

    private void EndFile()
    {
        _writer?.Dispose();
        _writer = null;
        _stream?.Dispose();
        _stream = null;
        _fileBytes = 0;
    }
}
