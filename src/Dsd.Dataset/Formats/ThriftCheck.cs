namespace Dsd.Dataset.Formats;

/// <summary>
/// Walks through bytes of Thrift's compact protocol as the Parquet library will, and finds what would keep that busy without end or cost it
/// memory: lengths and counts beyond the bytes that there are, numbers without an end, fields of other types than
/// <see cref="ParquetShapes"/> has (docs/decisions/parquet-footers.md).
/// </summary>
/// <param name="bytes">The bytes.</param>
/// <param name="seen">
/// Is called with each whole number that is a field of a structure: the structure, the field and the value. The field 0 means that a structure
/// begins.
/// </param>
internal sealed class ThriftCheck(ReadOnlyMemory<byte> bytes, Action<string, int, long> seen)
{
    // A footer of a hundred thousand columns in row groups has about so many; each costs the library an object.
    private const int MostItems = 1_000_000;
    private const int MostDepth = 16;

    private const int Stop = 0;
    private const int True = 1;
    private const int False = 2;
    private const int Byte = 3;
    private const int Int16 = 4;
    private const int Int32 = 5;
    private const int Int64 = 6;
    private const int Double = 7;
    private const int Binary = 8;
    private const int List = 9;
    private const int Struct = 12;

    private int _items;

    /// <summary>How many bytes were walked over.</summary>
    public int Position { get; private set; }

    /// <summary>Walks over a structure.</summary>
    /// <exception cref="EndOfStreamException">It is longer than the bytes; the message says what was found.</exception>
    /// <exception cref="InvalidDataException">It is not as it should be, likewise.</exception>
    public void Walk(string structure)
    {
        IReadOnlyDictionary<int, string> fields = ParquetShapes.Of(structure)!;
        Count(1);
        seen(structure, 0, 0);
        int field = 0;
        for (int header = Next(); header != Stop; header = Next())
        {
            (int delta, int type) = (header >> 4, header & 15);
            field = delta == 0 ? (short)Whole(3) : (short)(field + delta);
            if (fields.TryGetValue(field, out string? expected))
            {
                Value(structure, field, expected, type);
            }
            else
            {
                // A newer writer's: passed over, as the library does.
                Skip(structure, field, type, 0);
            }
        }
    }

    private void Value(string structure, int field, string expected, int type)
    {
        bool isList = expected.StartsWith("[]", StringComparison.Ordinal);
        if (isList ? type != List : expected == "bool" ? type is not (True or False) : type != TypeOf(expected))
        {
            throw Wrong(structure, field, $"a value of another type ({type})");
        }
        if (!isList)
        {
            Plain(structure, field, expected);
            return;
        }
        string item = expected[2..];
        int header = Next();
        long count = header >> 4 == 15 ? Length() : header >> 4;
        if (count > 0 && (header & 15) != TypeOf(item))
        {
            throw Wrong(structure, field, $"a list of another type ({header & 15})");
        }
        // Each item takes a byte at least.
        if (count > bytes.Length - Position)
        {
            throw Beyond(structure, field, $"a list that claims {count} items");
        }
        Count(count);
        for (long i = 0; i < count; i++)
        {
            Plain(structure, field, item);
        }
    }

    private void Plain(string structure, int field, string type)
    {
        switch (type)
        {
            case "bool":
                break;
            case "i8":
                Next();
                break;
            case "i16":
                Whole(3);
                break;
            case "i32":
                seen(structure, field, (int)Whole(5));
                break;
            case "i64":
                seen(structure, field, Whole(10));
                break;
            case "double":
                Pass(structure, field, 8);
                break;
            case "binary":
                Pass(structure, field, Length());
                break;
            default:
                Walk(type);
                break;
        }
    }

    private void Skip(string structure, int field, int type, int depth)
    {
        switch (type)
        {
            case True or False:
                break;
            case Byte:
                Pass(structure, field, 1);
                break;
            case Int16 or Int32:
                Varint(5);
                break;
            case Int64:
                Varint(10);
                break;
            case Double:
                Pass(structure, field, 8);
                break;
            case Binary:
                Pass(structure, field, Length());
                break;
            // The library reads the headers of the fields within, but not their values.
            case Struct when Next() == Stop:
                break;
            case List when depth < MostDepth:
                int header = Next();
                long count = header >> 4 == 15 ? Length() : header >> 4;
                Count(count);
                for (long i = 0; i < count; i++)
                {
                    Skip(structure, field, header & 15, depth + 1);
                }
                break;
            default:
                throw Wrong(structure, field, $"a field that is not known here, of a type that cannot be passed over ({type})");
        }
    }

    private int Next() => Position < bytes.Length ? bytes.Span[Position++] : throw new EndOfStreamException("structures that go on behind its end");

    private long Whole(int most)
    {
        ulong value = Varint(most);
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    // The library takes lengths and counts as numbers of 31 bits.
    private long Length()
    {
        ulong length = Varint(5);
        return length <= int.MaxValue ? (long)length : throw new InvalidDataException($"a length of {length}");
    }

    private ulong Varint(int most)
    {
        ulong value = 0;
        for (int i = 0; i < most; i++)
        {
            int next = Next();
            value |= (ulong)(next & 0x7f) << (7 * i);
            if (next < 0x80)
            {
                return value;
            }
        }
        throw new InvalidDataException($"a number of more than {most} bytes");
    }

    private void Pass(string structure, int field, long count)
    {
        if (count > bytes.Length - Position)
        {
            throw Beyond(structure, field, $"a value that claims {count} bytes");
        }
        Position += (int)count;
    }

    private void Count(long items)
    {
        if (items > MostItems - _items)
        {
            throw new InvalidDataException($"more than {MostItems} items");
        }
        _items += (int)items;
    }

    private static int TypeOf(string name) => name switch
    {
        "i8" => Byte,
        "i16" => Int16,
        "i32" => Int32,
        "i64" => Int64,
        "double" => Double,
        "binary" => Binary,
        _ => Struct,
    };

    private EndOfStreamException Beyond(string structure, int field, string found) =>
        new($"{found} where {bytes.Length - Position} bytes are left, in {structure}, field {field}");

    private static InvalidDataException Wrong(string structure, int field, string found) => new($"{found} in {structure}, field {field}");
}
