using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Dsd.Dataset.Formats;

/// <summary>Writes <c>train/metadata.jsonl</c> and the pictures beside it, spread over 256 folders. A panel that several rows show is written once.</summary>
internal sealed class ImageFolderPairWriter : IPairWriter
{
    private readonly string _folder;
    private readonly FileStream _metadata;
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly IReadOnlyList<DetailColumn> _columns;
    private readonly HashSet<string> _written = [];
    private long _files = 1;
    private long _bytes;

    public ImageFolderPairWriter(string folder, DatasetWriteOptions options)
    {
        _columns = DetailColumn.Written(options);
        // Not at the top: some versions of 'datasets' leave a metadata file there alone.
        _folder = Path.Combine(folder, "train");
        Directory.CreateDirectory(_folder);
        _metadata = new FileStream(Path.Combine(_folder, ImageFolderPairReader.MetadataFile), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
    }

    public void Write(IReadOnlyList<PairRecord> grid)
    {
        // Rows of different grids share nothing.
        _written.Clear();
        foreach (PairRecord row in grid)
        {
            _line.ResetWrittenCount();
            using (Utf8JsonWriter json = new(_line, DetailsJson.Plain))
            {
                json.WriteStartObject();
                json.WriteString("file_name", Picture(row.Image));
                json.WriteString("conditioning_file_name", Picture(row.Conditioning));
                foreach ((string column, EncodedPicture further) in PairRecord.FurtherColumns("conditioning").Zip(row.FurtherConditioning))
                {
                    json.WriteString($"{column}_file_name", Picture(further));
                }
                DetailsJson.Write(json, row.Caption, row.Details, _columns);
                json.WriteEndObject();
            }
            _metadata.Write(_line.WrittenSpan);
            _metadata.WriteByte((byte)'\n');
        }
    }

    public (long Files, long Bytes) Complete()
    {
        _metadata.Flush(flushToDisk: true);
        return (_files, _bytes + _metadata.Length);
    }

    public void Dispose() => _metadata.Dispose();

    private string Picture(EncodedPicture picture)
    {
        string name = picture.Name!;
        string file = $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..2]}/{name}";
        if (_written.Add(file))
        {
            string path = Path.Combine(_folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using FileStream stream = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
            stream.Write(picture.ReadBytes().Span);
            _files++;
            _bytes += picture.ReadBytes().Length;
        }
        return file;
    }
}
