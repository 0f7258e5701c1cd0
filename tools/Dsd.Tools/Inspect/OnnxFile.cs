using System.Globalization;
using Dsd.Common.Files;
using Dsd.Models.Weights;
using Google.Protobuf;

namespace Dsd.Tools.Inspect;

/// <summary>
/// Reads what an ONNX file says about itself and skips its weights, so that a model of gigabytes takes no memory.
/// Field numbers are those of the format.
/// </summary>
internal sealed class OnnxFile
{
    private const int MaxName = 1000;
    private const int MaxRank = 64;
    private const int MaxOperators = 4096;
    private const int MaxMetadata = 100;
    private const int MaxFaults = 20;

    private static readonly string[] ElementTypes =
    [
        "UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE", "UINT32", "UINT64",
        "COMPLEX64", "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4", "INT4", "FLOAT4E2M1",
    ];

    // Bits of an element of each type; 0 where elements have no fixed size.
    private static readonly int[] ElementBits = [0, 32, 8, 8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64, 64, 128, 16, 8, 8, 8, 8, 4, 4, 4];

    private readonly string _path;
    private readonly CodedInputStream _input;
    private readonly List<OnnxValue> _inputs = [];
    private readonly List<OnnxValue> _outputs = [];
    private readonly HashSet<string> _initializers = [];
    private readonly HashSet<string> _beside = [];
    private readonly Dictionary<string, int> _operators = [];
    private readonly Dictionary<string, string> _metadata = [];
    private readonly List<Tensor> _tensors = [];
    private long _opset;
    private int _nodes;
    private long _parameters;
    private bool _hasGraph;

    private OnnxFile(string path, CodedInputStream input) => (_path, _input) = (path, input);

    /// <summary>Reads one model.</summary>
    /// <exception cref="WeightsException">The file is no ONNX model, or is damaged.</exception>
    public static OnnxModelReport Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Read(path, stream).Report(stream.Length);
    }

    /// <summary>
    /// Checks that each of a model's weights has as many bytes as its type and shape ask for, and that those beside the model lie within their file.
    /// </summary>
    /// <param name="path">The model.</param>
    /// <param name="lengthOf">How long a file beside the model is; null where there is none that it may use.</param>
    /// <returns>How many weights lie beside the model.</returns>
    /// <exception cref="WeightsException">They do not, or the file is no ONNX model; the message names the tensors.</exception>
    public static int CheckTensors(string path, Func<string, long?> lengthOf)
    {
        using FileStream stream = File.OpenRead(path);
        OnnxFile file = Read(path, stream);
        string[] faults = [.. file._tensors.Select(t => t.Fault(lengthOf)).OfType<string>().Take(MaxFaults)];
        return faults.Length == 0
            ? file._tensors.Count(t => t.IsBeside)
            : throw new WeightsException(path, "weights that fill what their types and shapes ask for", string.Join("; ", faults));
    }

    private static OnnxFile Read(string path, FileStream stream)
    {
        using CodedInputStream input = new(stream, leaveOpen: true);
        OnnxFile file = new(path, input);
        try
        {
            file.Fields(stream.Length, file.ModelField);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or OverflowException)
        {
            throw new WeightsException(
                path, "an ONNX model", FileKind.Of(FileKind.Start(path)) ?? $"bytes that cannot be read as one ({e.Message.TrimEnd('.')})", e);
        }
        return file._hasGraph
            ? file
            : throw new WeightsException(path, "an ONNX model with a graph", FileKind.Of(FileKind.Start(path)) ?? "none");
    }

    private OnnxModelReport Report(long length)
    {
        List<string> warnings = [];
        foreach (string name in _beside)
        {
            // Weights lie beside the model: a location must not lead to other places.
            FileInfo file = new(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path))!, Path.GetFileName(name)));
            if (name != file.Name || !file.Exists)
            {
                warnings.Add($"the weights' file '{name}' is missing beside the model");
            }
            length += name == file.Name && file.Exists ? file.Length : 0;
        }
        return new OnnxModelReport
        {
            Path = _path,
            Opset = _opset,
            Nodes = _nodes,
            Operators = _operators.OrderByDescending(o => o.Value).ThenBy(o => o.Key, StringComparer.Ordinal).ToDictionary(),
            Metadata = _metadata,
            Parameters = _parameters,
            Bytes = length,
            Inputs = [.. _inputs.Where(i => !_initializers.Contains(i.Name))],
            Outputs = [.. _outputs],
            Warnings = [.. warnings],
        };
    }

    private bool ModelField(int field, bool isBlock)
    {
        switch (field)
        {
            case 7 when isBlock:
                _hasGraph = true;
                return Message(GraphField);
            case 8 when isBlock:
                (string domain, long version) = ("", 0);
                Message((f, block) => (f, block) switch
                {
                    (1, true) => Take(ref domain),
                    (2, false) => Take(ref version),
                    _ => false,
                });
                _opset = domain.Length == 0 ? version : _opset;
                return true;
            case 14 when isBlock:
                (string key, string value) = Entry();
                if (_metadata.Count < MaxMetadata)
                {
                    _metadata[key] = value;
                }
                return true;
            default:
                return false;
        }
    }

    private bool GraphField(int field, bool isBlock)
    {
        _nodes += field == 1 ? 1 : 0;
        return (field, isBlock) switch
        {
            (1, true) => Node(),
            (5, true) => Initializer(),
            (11, true) => Value(_inputs),
            (12, true) => Value(_outputs),
            _ => false,
        };
    }

    private bool Node()
    {
        (string operation, string domain) = ("", "");
        Message((field, isBlock) => (field, isBlock) switch
        {
            (4, true) => Take(ref operation),
            (7, true) => Take(ref domain),
            _ => false,
        });
        string name = domain is "" or "ai.onnx" ? operation : $"{domain}.{operation}";
        int count = _operators.GetValueOrDefault(name);
        if (count == 0 && _operators.Count == MaxOperators)
        {
            throw new OverflowException($"more than {MaxOperators} kinds of operators");
        }
        _operators[name] = count + 1;
        return true;
    }

    private bool Initializer()
    {
        string name = "";
        List<long> dims = [];
        (long type, long place) = (0, 0);
        long? inside = null;
        Dictionary<string, string> beside = [];
        Message((field, isBlock) =>
        {
            switch (field, isBlock)
            {
                case (1, _):
                    return Numbers(dims, isBlock);
                case (2, false):
                    return Take(ref type);
                case (8, true):
                    return Take(ref name);
                case (9, true):
                    inside = Skip();
                    return true;
                case (13, true) when beside.Count < MaxMetadata:
                    (string key, string value) = Entry();
                    beside[key] = value;
                    return true;
                case (14, false):
                    return Take(ref place);
                default:
                    return false;
            }
        });
        if (beside.TryGetValue("location", out string? location))
        {
            _beside.Add(location);
        }
        _initializers.Add(name);
        _parameters = checked(_parameters + dims.Aggregate(1L, (product, size) => checked(product * size)));
        _tensors.Add(new Tensor(name, type, [.. dims], inside, place == 1 ? beside : null));
        return true;
    }

    private (string Key, string Value) Entry()
    {
        (string key, string value) = ("", "");
        Message((field, isBlock) => (field, isBlock) switch
        {
            (1, true) => Take(ref key),
            (2, true) => Take(ref value),
            _ => false,
        });
        return (key, value);
    }

    /// <summary>Passes over a block, and says how long it was.</summary>
    private long Skip()
    {
        long start = _input.Position;
        _input.SkipLastField();
        // What was passed over begins with the block's length itself.
        long whole = _input.Position - start;
        return Enumerable.Range(1, 5).Select(prefix => whole - prefix)
            .First(length => length >= 0 && CodedOutputStream.ComputeLengthSize((int)length) == whole - length);
    }

    private bool Value(List<OnnxValue> values)
    {
        string name = "";
        long type = 0;
        List<string> shape = [];
        Message((field, isBlock) => (field, isBlock) switch
        {
            (1, true) => Take(ref name),
            (2, true) => Message((f, block) => (f, block) is (1, true) && Message((g, inner) => (g, inner) switch
            {
                (1, false) => Take(ref type),
                (2, true) => Message((h, dimension) => (h, dimension) is (1, true) && Dimension(shape)),
                _ => false,
            })),
            _ => false,
        });
        values.Add(new OnnxValue(name, TypeName(type), [.. shape]));
        return true;
    }

    private bool Dimension(List<string> shape)
    {
        (long size, string name) = (-1, "");
        Message((field, isBlock) => (field, isBlock) switch
        {
            (1, false) => Take(ref size),
            (2, true) => Take(ref name),
            _ => false,
        });
        if (shape.Count == MaxRank)
        {
            throw new OverflowException($"a value of more than {MaxRank} dimensions");
        }
        shape.Add(size >= 0 ? size.ToString(CultureInfo.InvariantCulture) : name.Length > 0 ? name : "?");
        return true;
    }

    /// <summary>Whole numbers packed into one block, or one of several that follow one another.</summary>
    private bool Numbers(List<long> numbers, bool isBlock)
    {
        long end = isBlock ? _input.ReadLength() : 0;
        end += isBlock ? _input.Position : 0;
        do
        {
            if (numbers.Count == MaxRank)
            {
                throw new OverflowException($"a tensor of more than {MaxRank} dimensions");
            }
            numbers.Add(_input.ReadInt64());
        }
        while (_input.Position < end);
        return true;
    }

    /// <summary>Hands each field up to the end to the reader, which reads it and says so, or leaves it to be skipped.</summary>
    private void Fields(long end, FieldReader read)
    {
        while (_input.Position < end)
        {
            uint tag = _input.ReadTag();
            bool isBlock = WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited;
            if (!read(WireFormat.GetTagFieldNumber(tag), isBlock))
            {
                _input.SkipLastField();
            }
        }
        if (_input.Position != end)
        {
            throw new OverflowException($"a message that should end at byte {end} ends at {_input.Position}");
        }
    }

    private bool Message(FieldReader read)
    {
        int length = _input.ReadLength();
        Fields(_input.Position + length, read);
        return true;
    }

    private bool Take(ref string value)
    {
        value = Printable.Line(_input.ReadString(), MaxName);
        return true;
    }

    private bool Take(ref long value)
    {
        value = _input.ReadInt64();
        return true;
    }

    private static string TypeName(long type) => type >= 0 && type < ElementTypes.Length ? ElementTypes[type] : $"type {type}";

    /// <summary>A weight: what it says of itself, and where its bytes are said to lie.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Type">The number of its type of elements.</param>
    /// <param name="Shape">Its dimensions.</param>
    /// <param name="Inside">Bytes in the model; null where there are none, or they are not written as bytes.</param>
    /// <param name="Beside">Where in which other file they lie; null where they do not.</param>
    private sealed record Tensor(string Name, long Type, long[] Shape, long? Inside, Dictionary<string, string>? Beside)
    {
        public bool IsBeside => Beside is not null;

        /// <summary>What is wrong with it; null is nothing.</summary>
        public string? Fault(Func<string, long?> lengthOf)
        {
            string what = $"'{Name}' {TypeName(Type)} [{string.Join(", ", Shape)}]";
            if (Beside is null && Inside is null)
            {
                return null;
            }
            int bits = Type >= 0 && Type < ElementBits.Length ? ElementBits[Type] : 0;
            if (bits == 0 || Bytes(bits) is not { } bytes)
            {
                return $"{what}, of which nobody can say how many bytes it has";
            }
            if (Beside is null)
            {
                return Inside == bytes ? null : $"{what} with {Inside} bytes where there ought to be {bytes}";
            }
            string location = Beside.GetValueOrDefault("location", "");
            if (lengthOf(location) is not { } length)
            {
                return $"{what} in '{location}', which is no file beside the model that belongs to the folder";
            }
            if (Number("offset", 0) is not { } offset || Number("length", bytes) is not { } stated)
            {
                return $"{what} with an offset or a length that is no number";
            }
            return stated != bytes ? $"{what} with {stated} bytes where there ought to be {bytes}"
                : offset > length - bytes ? $"{what} at bytes {offset} to {(Int128)offset + bytes} of '{location}', which has {length}"
                : null;
        }

        private long? Bytes(int bits)
        {
            Int128 all = bits;
            foreach (long side in Shape)
            {
                all *= side;
                if (side < 0 || all > long.MaxValue)
                {
                    return null;
                }
            }
            return (long)((all + 7) / 8);
        }

        private long? Number(string key, long otherwise) =>
            !Beside!.TryGetValue(key, out string? text) ? otherwise
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value
            : null;
    }

    /// <summary>Reads a field's content, or returns false and leaves it.</summary>
    /// <param name="field">The field's number.</param>
    /// <param name="isBlock">Whether the content is a block with its length in front.</param>
    private delegate bool FieldReader(int field, bool isBlock);
}
