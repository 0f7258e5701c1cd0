using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Parquet.Meta;

namespace Dsd.Dataset.Formats;

/// <summary>
/// Checks what a Parquet file says of itself before the library goes by it: that takes memory for what is claimed, and reads on without end
/// behind the end of a footer (docs/decisions/parquet-footers.md).
/// </summary>
internal static class ParquetBounds
{
    /// <summary>The most that pages of a column in a row group may hold, unpacked.</summary>
    public const long MostColumnBytes = 2_000_000_000;

    private const int MostFooterBytes = 64 * 1024 * 1024;
    private const int MostSchemaElements = 10_000;
    private const int MostSchemaDepth = 32;
    private const int MostPageHeader = 16 * 1024 * 1024;
    private const int MostEmptyPages = 1000;

    // The word at both ends of a file, and the footer's length.
    private const int Ends = 12;

    /// <summary>Checks the footer.</summary>
    /// <exception cref="DatasetException">There is none, or it is damaged.</exception>
    public static void CheckFooter(FileStream stream, string place)
    {
        long length = stream.Length;
        if (length < Ends)
        {
            throw new DatasetException(place, "a Parquet file", $"{length} bytes");
        }
        Span<byte> end = stackalloc byte[8];
        RandomAccess.Read(stream.SafeFileHandle, end, length - end.Length);
        if (!end[4..].SequenceEqual("PAR1"u8))
        {
            throw new DatasetException(place, "a Parquet file, which ends in 'PAR1'", "another kind of file, or half of one");
        }
        int size = BinaryPrimitives.ReadInt32LittleEndian(end);
        if (size < 0 || size > MostFooterBytes || size > length - Ends)
        {
            throw new DatasetException(place, $"a footer of at most {Math.Min(MostFooterBytes, length - Ends)} bytes", $"one that claims {size}");
        }
        byte[] footer = Bytes(stream.SafeFileHandle, length - end.Length - size, size);
        List<long> children = [];
        Walk(footer, "FileMetaData", $"{place}, footer", (structure, field, value) =>
        {
            if (structure == "SchemaElement" && field is 0)
            {
                children.Add(0);
            }
            else if (structure == "SchemaElement" && field is 5)
            {
                children[^1] = value;
            }
        });
        if (children.Count > MostSchemaElements || !IsTree(children))
        {
            throw new DatasetException(
                $"{place}, footer",
                $"a schema of at most {MostSchemaElements} columns, nested {MostSchemaDepth} deep",
                "another, or one whose columns do not add up");
        }
    }

    /// <summary>Checks the pages of a column in a row group, one behind the other.</summary>
    /// <returns>Where they begin and end in the file.</returns>
    /// <exception cref="DatasetException">They claim more than there is.</exception>
    public static (long Begin, long End) CheckPages(SafeFileHandle handle, ColumnMetaData column, string place, CancellationToken cancel)
    {
        long length = RandomAccess.GetLength(handle);
        long begin = new[] { column.DictionaryPageOffset ?? 0, column.DataPageOffset, column.IndexPageOffset ?? 0 }.Where(o => o != 0).DefaultIfEmpty(0).Min();
        long at = begin;
        int empty = 0;
        for (long values = 0; values < column.NumValues;)
        {
            cancel.ThrowIfCancellationRequested();
            Page page = Header(handle, at, length, place);
            if (page.Packed < 0 || page.Packed > length - at - page.Header
                || page.Unpacked < 0 || page.Unpacked > Math.Max(column.TotalUncompressedSize, page.Packed))
            {
                throw new DatasetException(
                    place,
                    $"pages within the file's {length} bytes and the column's {column.TotalUncompressedSize} unpacked",
                    $"one at {at} that claims {page.Packed} bytes, {page.Unpacked} unpacked");
            }
            if (page.Values < 0 || page.Values > (page.IsData ? column.NumValues - values : column.NumValues))
            {
                throw new DatasetException(place, $"pages of {column.NumValues} values together", $"one at {at} that claims {page.Values}");
            }
            empty += page.Values == 0 || !page.IsData ? 1 : 0;
            if (empty > MostEmptyPages)
            {
                throw new DatasetException(place, "pages with values", $"more than {MostEmptyPages} without");
            }
            values += page.IsData ? page.Values : 0;
            at += page.Header + page.Packed;
        }
        return (begin, at);
    }

    private static Page Header(SafeFileHandle handle, long at, long length, string place)
    {
        if (at < 4 || at >= length)
        {
            throw new DatasetException(place, "a page", $"the place {at} in a file of {length} bytes");
        }
        // Most are short, but they may hold the least and the greatest of long texts.
        for (int size = 1024; ; size *= 16)
        {
            byte[] bytes = Bytes(handle, at, (int)Math.Min(size, length - at));
            Page page = default;
            try
            {
                int header = Walk(
                    bytes,
                    "PageHeader",
                    $"{place}, page at {at}",
                    (structure, field, value) => page = page.With(structure, field, value),
                    wholly: bytes.Length == length - at || size >= MostPageHeader);
                return page with { Header = header };
            }
            catch (EndOfStreamException)
            {
                // Once more with more of it.
            }
        }
    }

    /// <returns>How many bytes were walked over.</returns>
    private static int Walk(byte[] bytes, string structure, string place, Action<string, int, long> seen, bool wholly = true)
    {
        ThriftCheck check = new(bytes, seen);
        try
        {
            check.Walk(structure);
            return check.Position;
        }
        catch (Exception e) when (e is InvalidDataException || (e is EndOfStreamException && wholly))
        {
            throw new DatasetException(place, "one as Parquet has it", $"{e.Message}: it is damaged", e);
        }
    }

    private static byte[] Bytes(SafeFileHandle handle, long at, int count)
    {
        byte[] bytes = new byte[count];
        for (int read = 0, more; read < count; read += more)
        {
            more = RandomAccess.Read(handle, bytes.AsSpan(read), at + read);
            if (more == 0)
            {
                return bytes[..read];
            }
        }
        return bytes;
    }

    /// <summary>Whether the numbers of children, each element's before those below it, make one tree that is not too deep.</summary>
    private static bool IsTree(List<long> children)
    {
        Stack<long> open = new([1]);
        foreach (long count in children)
        {
            while (open.TryPeek(out long left) && left == 0)
            {
                open.Pop();
            }
            if (open.Count is 0 or > MostSchemaDepth || count < 0)
            {
                return false;
            }
            open.Push(open.Pop() - 1);
            open.Push(count);
        }
        return children.Count > 0 && open.All(left => left == 0);
    }

    private record struct Page(int Header, long Packed, long Unpacked, long Values, bool IsData)
    {
        public readonly Page With(string structure, int field, long value) => (structure, field) switch
        {
            ("PageHeader", 2) => this with { Unpacked = value },
            ("PageHeader", 3) => this with { Packed = value },
            ("DataPage" or "DataPage2", 1) => this with { Values = value, IsData = true },
            ("DictionaryPage", 1) => this with { Values = value },
            _ => this,
        };
    }
}
