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

    private static readonly string[] ElementTypes =
    [
        "UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE", "UINT32", "UINT64",
        "COMPLEX64", "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4", "INT4", "FLOAT4E2M1",
    ];

    private readonly string _path;
    private readonly CodedInputStream _input;
    private readonly List<OnnxValue> _inputs = [];
    private readonly List<OnnxValue> _outputs = [];
    private readonly HashSet<string> _initializers = [];
    private readonly HashSet<string> _beside = [];
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
        using CodedInputStream input = new(stream);
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
            ? file.Report(stream.Length)
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
            default:
                return false;
        }
    }

    private bool GraphField(int field, bool isBlock)
    {
        _nodes += field == 1 ? 1 : 0;
        return (field, isBlock) switch
        {
            (5, true) => Initializer(),
            (11, true) => Value(_inputs),
            (12, true) => Value(_outputs),
            _ => false,
        };
    }

    private bool Initializer()
    {
        string name = "";
        List<long> dims = [];
        Message((field, isBlock) => (field, isBlock) switch
        {
            (1, _) => Numbers(dims, isBlock),
            (8, true) => Take(ref name),
            (13, true) => External(),
            _ => false,
        });
        _initializers.Add(name);
        _parameters = checked(_parameters + dims.Aggregate(1L, (product, size) => checked(product * size)));
        return true;
    }

    private bool External()
    {
        (string key, string value) = ("", "");
        Message((field, isBlock) => (field, isBlock) switch
        {
            (1, true) => Take(ref key),
            (2, true) => Take(ref value),
            _ => false,
        });
        if (key == "location")
        {
            _beside.Add(value);
        }
        return true;
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
        values.Add(new OnnxValue(name, type >= 0 && type < ElementTypes.Length ? ElementTypes[type] : $"type {type}", [.. shape]));
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

    /// <summary>Reads a field's content, or returns false and leaves it.</summary>
    /// <param name="field">The field's number.</param>
    /// <param name="isBlock">Whether the content is a block with its length in front.</param>
    private delegate bool FieldReader(int field, bool isBlock);
}
