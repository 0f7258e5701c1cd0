using System.Buffers.Binary;
using System.Text;

namespace Dsd.Models.Weights;

/// <summary>
/// Reads the pickle of a file of PyTorch as data. A pickle is a program for a machine with a stack, which can call anything; here only what a table of
/// tensors needs is understood, and nothing is ever looked up or called. Objects of any other name, such as a trainer's options, become markers
/// (<see cref="PickledObject"/>) that hold nothing and never become a tensor.
/// </summary>
/// <param name="file">The file, for messages.</param>
/// <param name="pickle">The program.</param>
internal sealed class PickleReader(string file, byte[] pickle)
{
    // Each value takes some memory that its one byte in the file does not pay for. A large model's table has some ten thousand.
    private const int MostValues = 4_000_000;
    private const int MostDimensions = 8;
    private const int LongestName = 4096;
    private const string Advice = "Take the model's safetensors file, or save its state dict alone";

    private static readonly object Mark = new();

    // What a pickle of tensors names. Each stands for itself; none is looked up or called.
    private static readonly Dictionary<string, object> Known = new()
    {
        ["collections OrderedDict"] = Callable.Dictionary,
        ["torch._utils _rebuild_tensor_v2"] = Callable.Tensor,
        ["torch._utils _rebuild_parameter"] = Callable.Parameter,
        ["torch FloatStorage"] = new StorageKind("F32"),
        ["torch DoubleStorage"] = new StorageKind("F64"),
        ["torch HalfStorage"] = new StorageKind("F16"),
        ["torch BFloat16Storage"] = new StorageKind("BF16"),
        ["torch LongStorage"] = new StorageKind("I64"),
        ["torch IntStorage"] = new StorageKind("I32"),
        ["torch ShortStorage"] = new StorageKind("I16"),
        ["torch CharStorage"] = new StorageKind("I8"),
        ["torch ByteStorage"] = new StorageKind("U8"),
        ["torch BoolStorage"] = new StorageKind("BOOL"),
    };

    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _at;
    private int _values;

    private enum Callable
    {
        Dictionary,
        Tensor,
        Parameter,
    }

    /// <summary>The object that was pickled: dictionaries, lists, tuples, texts, numbers and tensors.</summary>
    /// <exception cref="WeightsException">The program is cut off, or holds what tables of tensors do not need.</exception>
    public object? Read()
    {
        while (true)
        {
            int place = _at;
            byte code = Take(1)[0];
            switch (code)
            {
                case 0x80: // PROTO
                    byte protocol = Take(1)[0];
                    if (protocol is < 2 or > 5)
                    {
                        throw Wrong("a pickle of protocol 2 to 5", $"protocol {protocol}");
                    }
                    break;
                case 0x95: // FRAME
                    Take(8);
                    break;
                case (byte)'.': // STOP
                    return Pop();
                case (byte)'(': // MARK
                    Push(Mark);
                    break;
                case (byte)'}': // EMPTY_DICT
                    Push(new PickledDictionary());
                    break;
                case (byte)']': // EMPTY_LIST
                    Push(new List<object?>());
                    break;
                case (byte)')': // EMPTY_TUPLE
                    Push(Array.Empty<object?>());
                    break;
                case (byte)'t': // TUPLE
                    Push(Marked());
                    break;
                case 0x85 or 0x86 or 0x87: // TUPLE1, TUPLE2, TUPLE3
                    Push(Last(code - 0x84));
                    break;
                case (byte)'N': // NONE
                    Push(null);
                    break;
                case 0x88 or 0x89: // NEWTRUE, NEWFALSE
                    Push(code == 0x88);
                    break;
                case (byte)'K': // BININT1
                    Push((long)Take(1)[0]);
                    break;
                case (byte)'M': // BININT2
                    Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                    break;
                case (byte)'J': // BININT
                    Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                    break;
                case 0x8a: // LONG1
                    Push(Long(Take(Take(1)[0])));
                    break;
                case (byte)'G': // BINFLOAT
                    Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                    break;
                case (byte)'X': // BINUNICODE
                    Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                    break;
                case 0x8c: // SHORT_BINUNICODE
                    Push(Text(Take(1)[0]));
                    break;
                case (byte)'q': // BINPUT
                    _memo[Take(1)[0]] = Top();
                    break;
                case (byte)'r': // LONG_BINPUT
                    _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Top();
                    break;
                case 0x94: // MEMOIZE
                    _memo[(uint)_memo.Count] = Top();
                    break;
                case (byte)'h': // BINGET
                    Push(Remembered(Take(1)[0]));
                    break;
                case (byte)'j': // LONG_BINGET
                    Push(Remembered(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                    break;
                case (byte)'c': // GLOBAL
                    Push(Named(Line(), Line()));
                    break;
                case 0x93: // STACK_GLOBAL
                    Push(Pop() is string name && Pop() is string module ? Named(module, name) : throw Broken("a name that is no text"));
                    break;
                case (byte)'Q': // BINPERSID
                    Push(Storage(Pop()));
                    break;
                case 0x81: // NEWOBJ: a class and its arguments
                    Push(Made(Last(2)));
                    break;
                case 0x92: // NEWOBJ_EX: named arguments too
                    Push(Made(Last(3)));
                    break;
                case (byte)'R': // REDUCE
                    object? arguments = Pop();
                    Push(Called(Pop(), arguments as object?[] ?? throw Broken("a call without a tuple of arguments")));
                    break;
                case (byte)'s': // SETITEM
                    object?[] pair = Last(2);
                    Items(pair);
                    break;
                case (byte)'u': // SETITEMS
                    Items(Marked());
                    break;
                case (byte)'a': // APPEND
                    Add([Pop()]);
                    break;
                case (byte)'e': // APPENDS
                    Add(Marked());
                    break;
                case (byte)'b': // BUILD: a state dict's versions of its modules, which no weight depends on, or what a marker would hold
                    object? state = Pop();
                    if (Top() is not PickledObject && (state is not PickledDictionary || Top() is not PickledDictionary))
                    {
                        throw Broken("a state for what is no dictionary");
                    }
                    break;
                default:
                    throw Wrong("what tables of tensors need", $"the pickle's instruction 0x{code:x2} at byte {place}, which is not read here. {Advice}");
            }
        }
    }

    private static object Named(string module, string name) =>
        Known.TryGetValue($"{module} {name}", out object? known) ? known : new PickledObject($"{Short(module)}.{Short(name)}");

    // What stands beside the class, its arguments, is dropped.
    private PickledObject Made(object?[] parts) => parts[0] as PickledObject ?? throw Broken("an object of what is no class");

    private object Called(object? callable, object?[] arguments)
    {
        switch (callable)
        {
            case PickledObject marker:
                return marker;
            case Callable.Dictionary when arguments.Length == 0:
                return new PickledDictionary();
            case Callable.Parameter when arguments.Length is 2 or 3 && arguments[0] is PickledTensor parameter:
                return parameter;
            case Callable.Tensor when arguments.Length is 6 or 7
                && arguments[0] is PickledStorage storage && arguments[1] is long offset and >= 0
                && arguments[2] is object?[] shape && arguments[3] is object?[] strides && shape.Length == strides.Length:
                return Tensor(storage, offset, Sides(shape), Sides(strides));
            default:
                throw Broken($"a call of {callable ?? "nothing"} with {arguments.Length} arguments that do not fit");
        }
    }

    private PickledTensor Tensor(PickledStorage storage, long offset, long[] shape, long[] strides)
    {
        try
        {
            long last = offset;
            long count = 1;
            for (int i = 0; i < shape.Length; i++)
            {
                count = checked(count * shape[i]);
                last = checked(last + Math.Max(shape[i] - 1, 0) * strides[i]);
            }
            if (count == 0 || last < storage.Elements)
            {
                return new PickledTensor(storage, offset, shape, strides);
            }
        }
        catch (OverflowException)
        {
            // Said below.
        }
        throw Broken(
            $"a tensor [{string.Join(", ", shape)}] with strides [{string.Join(", ", strides)}] from element {offset} on, which storage '{storage.Key}' of "
                + $"{storage.Elements} elements does not hold");
    }

    private long[] Sides(object?[] sides) =>
        sides.Length <= MostDimensions && Array.TrueForAll(sides, s => s is long and >= 0)
            ? [.. sides.Select(s => (long)s!)]
            : throw Broken($"a shape or strides that are not at most {MostDimensions} whole numbers from 0 on");

    // What PyTorch puts in place of a storage: 'storage', its type, its file in the archive, the device, and how many elements it has.
    private PickledStorage Storage(object? id) =>
        id is object?[] and ["storage", StorageKind kind, string key, string, long elements and >= 0]
            ? key.Length is > 0 and <= 64 && key.All(char.IsAsciiLetterOrDigit)
                ? new PickledStorage(key, kind.DType, elements)
                : throw Broken($"a storage of the name '{Short(key)}'")
            : id is object?[] and ["storage", PickledObject unknown, ..]
                ? throw Wrong("storages of numbers that safetensors has too", $"one of '{unknown.Name}'. {Advice}")
                : throw Broken("a reference to something other than a storage");

    private void Items(object?[] items)
    {
        if (Top() is PickledObject)
        {
            return;
        }
        if (Top() is not PickledDictionary dictionary || items.Length % 2 != 0)
        {
            throw Broken("entries for what is no dictionary");
        }
        for (int i = 0; i < items.Length; i += 2)
        {
            dictionary.Entries.Add((items[i], items[i + 1]));
        }
    }

    private void Add(object?[] items)
    {
        if (Top() is PickledObject)
        {
            return;
        }
        (Top() as List<object?> ?? throw Broken("an entry for what is no list")).AddRange(items);
    }

    private object? Remembered(uint index) =>
        _memo.TryGetValue(index, out object? value) ? value : throw Broken($"a use of value {index}, which was not kept before");

    private object?[] Marked()
    {
        int mark = _stack.LastIndexOf(Mark);
        if (mark < 0)
        {
            throw Broken("the end of a group that did not begin");
        }
        object?[] values = [.. _stack[(mark + 1)..]];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private object?[] Last(int count)
    {
        object?[] values = new object?[count];
        for (int i = count - 1; i >= 0; i--)
        {
            values[i] = Pop();
        }
        return values;
    }

    private void Push(object? value)
    {
        if (++_values > MostValues)
        {
            throw Wrong($"a table of tensors with at most {MostValues} values", "more");
        }
        _stack.Add(value);
    }

    private object? Pop()
    {
        object? top = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private object? Top() =>
        _stack.Count > 0 && !ReferenceEquals(_stack[^1], Mark) ? _stack[^1] : throw Broken("an instruction that takes more values than there are");

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count > pickle.Length - _at)
        {
            throw Broken("its end in the middle of an instruction: the file is truncated. Fetch it again");
        }
        ReadOnlySpan<byte> taken = pickle.AsSpan(_at, (int)count);
        _at += (int)count;
        return taken;
    }

    private string Text(uint length)
    {
        ReadOnlySpan<byte> text = Take(length);
        return length <= LongestName && System.Text.Unicode.Utf8.IsValid(text)
            ? Encoding.UTF8.GetString(text)
            : throw Broken($"a text of {length} bytes; at most {LongestName} in UTF-8 are read");
    }

    private string Line()
    {
        int length = pickle.AsSpan(_at).IndexOf((byte)'\n');
        if (length is < 0 or > LongestName)
        {
            throw Broken("a name without an end");
        }
        string line = Encoding.UTF8.GetString(Take(length));
        Take(1);
        return line;
    }

    private long Long(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > sizeof(long))
        {
            throw Broken($"a whole number of {bytes.Length} bytes");
        }
        long value = bytes.Length > 0 && (bytes[^1] & 0x80) != 0 ? -1 : 0;
        for (int i = bytes.Length - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }
        return value;
    }

    private static string Short(string name) => new([.. (name.Length > 80 ? name[..80] + "…" : name).Select(c => char.IsControl(c) ? '.' : c)]);

    private WeightsException Broken(string found) => Wrong("a pickle that builds a table of tensors", found);

    private WeightsException Wrong(string expected, string found) => new(file, $"{expected}, in its data.pkl", found);

    private sealed record StorageKind(string DType);
}

/// <summary>A dictionary as a pickle builds it: keys may be of any kind, and come again.</summary>
internal sealed class PickledDictionary
{
    /// <summary>Keys and values, in their order.</summary>
    public List<(object? Key, object? Value)> Entries { get; } = [];
}

/// <summary>Where an object stood that is not read: a trainer's options, say. It holds nothing, and is neither made nor called.</summary>
/// <param name="Name">What it was an object of, or what would have been called, for messages.</param>
internal sealed record PickledObject(string Name);

/// <summary>A file of numbers in the archive.</summary>
/// <param name="Key">Its name there.</param>
/// <param name="DType">The type of its elements, as safetensors calls it.</param>
/// <param name="Elements">How many there are.</param>
internal sealed record PickledStorage(string Key, string DType, long Elements);

/// <summary>A tensor over a storage.</summary>
/// <param name="Storage">Where its numbers lie.</param>
/// <param name="Offset">The first of them.</param>
/// <param name="Shape">Its sides.</param>
/// <param name="Strides">Elements from one place to the next along each side.</param>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Whether its numbers lie one behind the other, rows first.</summary>
    public bool IsContiguous
    {
        get
        {
            long expected = 1;
            for (int i = Shape.Length - 1; i >= 0; i--)
            {
                if (Shape[i] != 1 && Strides[i] != expected)
                {
                    return false;
                }
                expected *= Shape[i];
            }
            return true;
        }
    }
}
