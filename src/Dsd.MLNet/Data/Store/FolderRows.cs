using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Dsd.Common.Files;

namespace Dsd.MLNet.Data.Store;

/// <summary>
/// Rows that are kept in a folder: one file to which rows are added, each with its length and a checksum, and one that says how many there are once all are
/// there. A row that was cut off by the end of a process is not there.
/// </summary>
internal sealed class FolderRows : IKeptRows
{
    /// <summary>The most bytes of a row.</summary>
    public const int MaxRowBytes = 1 << 30;

    private const string RowsFile = "rows.bin";
    private const string WholeFile = "rows.json";
    private const string LockFile = "rows.lock";
    private const int HeadBytes = sizeof(int) + sizeof(long);
    private const int SumBytes = 8;
    private const int MaxDescriptionBytes = 1 << 20;
    private static readonly byte[] Magic = "DSDROWS1"u8.ToArray();
    private readonly string _folder;
    private readonly string _file;
    private readonly IReadOnlyList<string> _description;
    private readonly List<(long Offset, int Length, long Origin)> _rows = [];
    private long _end = Magic.Length;
    private FileStream? _lock;
    private FileStream? _writer;

    /// <summary>What a folder keeps.</summary>
    /// <param name="folder">The folder. It need not be there.</param>
    /// <param name="description">What the rows are, for people who look into the folder.</param>
    /// <exception cref="InvalidDataException">It holds something else, or less than it says.</exception>
    public FolderRows(string folder, IReadOnlyList<string> description)
    {
        (_folder, _file, _description) = (folder, Path.Combine(folder, RowsFile), description);
        Look();
    }

    public long Count => _rows.Count;

    public bool IsWhole { get; private set; }

    public byte[] Read(long row)
    {
        (long offset, int length, _) = _rows[(int)row];
        using FileStream file = Open();
        return Read(file, offset, length) ?? throw Damaged(_file, $"row {row} with its checksum", "other bytes");
    }

    public long OriginOf(long row) => _rows[(int)row].Origin;

    public void Begin()
    {
        Directory.CreateDirectory(_folder);
        try
        {
            // Held by the system's lock, which goes however a process ends.
            _lock = new FileStream(Path.Combine(_folder, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"Rows cannot be kept in '{_folder}': {e.Message.TrimEnd('.')}. Does another program fill the same store now?", e);
        }
        try
        {
            Look();
            if (IsWhole)
            {
                return;
            }
            // Without a buffer: a full disk is found by the row that no longer fits, and closing cannot fail.
            _writer = new FileStream(_file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            if (_writer.Length < Magic.Length)
            {
                _writer.SetLength(0);
                _writer.Write(Magic);
            }
            // What a killed process had begun.
            _writer.SetLength(_end);
            _writer.Position = _end;
        }
        catch
        {
            End(whole: false);
            throw;
        }
    }

    public void Add(byte[] bytes, long origin)
    {
        if (bytes.Length > MaxRowBytes)
        {
            throw new IOException($"A row takes {bytes.Length} bytes, more than the {MaxRowBytes} that a store keeps of one.");
        }
        byte[] frame = new byte[HeadBytes + bytes.Length + SumBytes];
        BinaryPrimitives.WriteInt32LittleEndian(frame, bytes.Length);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(sizeof(int)), origin);
        bytes.CopyTo(frame, HeadBytes);
        Sum(frame.AsSpan(0, HeadBytes + bytes.Length)).CopyTo(frame.AsSpan(HeadBytes + bytes.Length));
        try
        {
            _writer!.Write(frame);
        }
        catch (IOException e)
        {
            throw new IOException($"Rows cannot be kept in '{_folder}': {e.Message.TrimEnd('.')}. Make room there. What is kept already stays.", e);
        }
        _rows.Add((_end, bytes.Length, origin));
        _end += frame.Length;
    }

    public void Cut(long row)
    {
        _end = _rows[(int)row].Offset;
        _rows.RemoveRange((int)row, _rows.Count - (int)row);
        _writer!.SetLength(_end);
        _writer.Position = _end;
    }

    public void End(bool whole)
    {
        if (whole)
        {
            _writer!.Flush(flushToDisk: true);
        }
        _writer?.Dispose();
        _writer = null;
        if (whole)
        {
            AtomicFile.Write(Path.Combine(_folder, WholeFile), stream => JsonSerializer.Serialize(stream, new Whole(Count, _description)));
            IsWhole = true;
        }
        _lock?.Dispose();
        _lock = null;
    }

    private static byte[] Sum(ReadOnlySpan<byte> frame) => SHA256.HashData(frame)[..SumBytes];

    private static InvalidDataException Damaged(string file, string expected, string found) =>
        new($"'{file}': expected {expected}, found {found}. Remove the folder it lies in to have the rows computed again.");

    private FileStream Open() => new(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);

    private byte[]? Read(FileStream file, long offset, int length)
    {
        // The length was compared with the file's when it was scanned.
        byte[] frame = new byte[HeadBytes + length + SumBytes];
        file.Position = offset;
        return file.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) == frame.Length
            && BinaryPrimitives.ReadInt32LittleEndian(frame) == length
            && Sum(frame.AsSpan(0, HeadBytes + length)).AsSpan().SequenceEqual(frame.AsSpan(HeadBytes + length))
            ? frame[HeadBytes..^SumBytes]
            : null;
    }

    /// <summary>Finds out what is there.</summary>
    private void Look()
    {
        _rows.Clear();
        _end = Magic.Length;
        if (File.Exists(_file))
        {
            Scan();
        }
        string whole = Path.Combine(_folder, WholeFile);
        if (File.Exists(whole))
        {
            IsWhole = true;
            long rows = Promised(whole);
            if (rows != Count)
            {
                throw Damaged(_file, $"{rows} rows, as '{WholeFile}' says", $"{Count} that are whole");
            }
        }
    }

    /// <summary>Finds the rows that are whole. Their checksums are compared when they are read, the last one's now: it may have been cut off.</summary>
    private void Scan()
    {
        using FileStream file = Open();
        byte[] head = new byte[HeadBytes];
        int read = file.ReadAtLeast(head.AsSpan(0, Magic.Length), Magic.Length, throwOnEndOfStream: false);
        if (!head.AsSpan(0, read).SequenceEqual(Magic.AsSpan(0, read)))
        {
            throw Damaged(_file, "rows of a store", "another file");
        }
        while (file.Length - _end >= HeadBytes + SumBytes)
        {
            file.Position = _end;
            file.ReadExactly(head);
            int length = BinaryPrimitives.ReadInt32LittleEndian(head);
            if (length is < 0 or > MaxRowBytes || length > file.Length - _end - HeadBytes - SumBytes)
            {
                break;
            }
            _rows.Add((_end, length, BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(sizeof(int)))));
            _end += HeadBytes + length + SumBytes;
        }
        if (_rows.Count > 0 && Read(file, _rows[^1].Offset, _rows[^1].Length) is null)
        {
            _end = _rows[^1].Offset;
            _rows.RemoveAt(_rows.Count - 1);
        }
    }

    private static long Promised(string file)
    {
        byte[] bytes = SmallFile.Bytes(file, MaxDescriptionBytes, (expected, found) => Damaged(file, expected, found));
        try
        {
            return JsonSerializer.Deserialize<Whole>(bytes)?.Rows ?? throw Damaged(file, "the number of rows", "null");
        }
        catch (JsonException e)
        {
            throw Damaged(file, "the number of rows as JSON", e.Message);
        }
    }

    /// <summary>What stands beside rows that are all there.</summary>
    private sealed record Whole(long Rows, IReadOnlyList<string> Of);
}
