using System.Globalization;
using Dsd.Models.Weights;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;
using Google.Protobuf;
using Microsoft.Win32.SafeHandles;

namespace Dsd.Onnx.Export;

/// <summary>The constants of a model that was exported before, whose bytes are read when they are asked for. Any thread may read.</summary>
internal sealed class ExportedConstants : IDisposable
{
    // Bytes that are read and written together.
    private const int Block = 1 << 20;

    private readonly string _path;
    private readonly ModelProto _model;
    private readonly Dictionary<string, TensorProto> _tensors = [];
    private readonly Dictionary<string, (SafeFileHandle File, long Length)> _files = new(StringComparer.Ordinal);

    private ExportedConstants(string path, ModelProto model) => (_path, _model) = (path, model);

    /// <summary>The adapters that were merged into the model, as it says itself; null is none.</summary>
    public string? Adapters => _model.MetadataProps.FirstOrDefault(m => m.Key == OnnxExporter.AdapterKey)?.Value;

    /// <summary>Opens a component's model and the files of its weights.</summary>
    /// <exception cref="WeightsException">The model cannot be read, or names other files than those of its folder.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ExportedConstants Open(OnnxModelFolder folder, string component)
    {
        string path = folder.ModelFile(component);
        ModelProto model;
        try
        {
            using FileStream stream = File.OpenRead(path);
            model = ModelProto.Parser.ParseFrom(stream);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new WeightsException(path, "an ONNX model", $"bytes that cannot be read as one ({e.Message.TrimEnd('.')})", e);
        }
        if (model.Graph is null)
        {
            throw new WeightsException(path, "an ONNX model with a graph", "none");
        }
        ExportedConstants constants = new(path, model);
        try
        {
            foreach (TensorProto tensor in model.Graph.Initializer)
            {
                if (!constants._tensors.TryAdd(tensor.Name, tensor))
                {
                    throw new WeightsException(path, "each constant once", $"'{tensor.Name}' twice");
                }
                if (tensor.DataLocation == TensorProto.Types.DataLocation.External)
                {
                    constants.OpenFile(folder, component, Entry(tensor, "location") ?? "");
                }
            }
            return constants;
        }
        catch
        {
            constants.Dispose();
            throw;
        }
    }

    /// <summary>Refuses a model whose nodes or constants are not those of a graph.</summary>
    /// <exception cref="WeightsException">They are of another version of the exporter.</exception>
    public void RequireSame(GraphBuilder graph)
    {
        string? difference = !_model.Graph.Node.Equals(graph.Graph.Node) ? "other nodes"
            : graph.Initializers.Count != _tensors.Count ? $"{_tensors.Count} constants, not {graph.Initializers.Count}"
            : graph.Initializers.Where(i => !Fits(i)).Select(i => $"no '{i.Name}' {i.Type} [{string.Join(", ", i.Shape)}]").FirstOrDefault();
        if (difference is not null)
        {
            throw new WeightsException(_path, "the graph that this version of the exporter writes", $"{difference}. Export the model again");
        }
    }

    /// <summary>The constant as adapters leave it: read from here, changed on its way into another file.</summary>
    /// <exception cref="WeightsException">Raised when it is written: a number is not finite, or beyond the constant's type.</exception>
    public Initializer With(Initializer constant) => constant switch
    {
        { IsReplaced: true } => constant,
        { Adapt: { } adapt } => constant with { Write = (stream, cancel) => WriteAdapted(constant, adapt(), stream, cancel), Adapt = null },
        _ => constant with { Write = (stream, cancel) => WriteCopied(constant, stream, cancel) },
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((SafeFileHandle file, _) in _files.Values)
        {
            file.Dispose();
        }
    }

    private void OpenFile(OnnxModelFolder folder, string component, string location)
    {
        if (_files.ContainsKey(location))
        {
            return;
        }
        // The folder's description lists all that may be read.
        if (!folder.Files.TryGetValue($"{component}/{location}", out long length))
        {
            throw new WeightsException(_path, $"weights in the files that '{OnnxManifest.FileName}' lists", $"'{location}'");
        }
        string file = Path.Combine(folder.Folder(component), location);
        _files.Add(location, (File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.Read), length));
    }

    private bool Fits(Initializer constant) => _tensors.TryGetValue(constant.Name, out TensorProto? tensor)
        && tensor.DataType == (int)constant.Type.InFile() && tensor.Dims.SequenceEqual(constant.Shape) && Holds(tensor, constant.ByteLength);

    private bool Holds(TensorProto tensor, long bytes) => tensor.DataLocation != TensorProto.Types.DataLocation.External
        ? tensor.RawData.Length == bytes
        : Offset(tensor) is { } offset && offset <= _files[Entry(tensor, "location")!].Length - bytes;

    private void Read(string name, long first, Span<byte> bytes)
    {
        TensorProto tensor = _tensors[name];
        if (tensor.DataLocation != TensorProto.Types.DataLocation.External)
        {
            tensor.RawData.Span.Slice(checked((int)first), bytes.Length).CopyTo(bytes);
            return;
        }
        SafeFileHandle file = _files[Entry(tensor, "location")!].File;
        long place = Offset(tensor)!.Value + first;
        while (bytes.Length > 0)
        {
            int read = RandomAccess.Read(file, bytes, place);
            if (read == 0)
            {
                throw new WeightsException(_path, $"all bytes of '{name}'", "the end of the file: it was cut while it was read");
            }
            bytes = bytes[read..];
            place += read;
        }
    }

    private void WriteCopied(Initializer constant, Stream stream, CancellationToken cancel)
    {
        byte[] block = new byte[Math.Min(Block, constant.ByteLength)];
        for (long first = 0; first < constant.ByteLength; first += block.Length)
        {
            cancel.ThrowIfCancellationRequested();
            Span<byte> bytes = block.AsSpan(0, (int)Math.Min(block.Length, constant.ByteLength - first));
            Read(constant.Name, first, bytes);
            stream.Write(bytes);
        }
    }

    private void WriteAdapted(Initializer constant, ConstantAdapter adapt, Stream stream, CancellationToken cancel)
    {
        int rows = checked((int)constant.Shape[0]);
        int length = checked((int)constant.Shape.Skip(1).Aggregate(1L, (all, side) => all * side));
        int atOnce = Math.Clamp(Block / 4 / length, 1, rows);
        byte[] bytes = new byte[atOnce * length * constant.Type.Bytes()];
        float[] numbers = new float[atOnce * length];
        for (int first = 0; first < rows; first += atOnce)
        {
            cancel.ThrowIfCancellationRequested();
            int count = Math.Min(atOnce, rows - first);
            Span<byte> part = bytes.AsSpan(0, (int)(count * length * constant.Type.Bytes()));
            Memory<float> values = numbers.AsMemory(0, count * length);
            Read(constant.Name, (long)first * length * constant.Type.Bytes(), part);
            constant.Type.Read(part, values.Span);
            adapt(first, count, values);
            try
            {
                constant.Type.WriteFinite(stream, values.Span);
            }
            catch (OverflowException e)
            {
                throw new WeightsException(_path, $"finite numbers in '{constant.Name}' once the adapter is merged", e.Message, e);
            }
        }
    }

    private static long? Offset(TensorProto tensor) =>
        Entry(tensor, "offset") is not { } text ? 0
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long offset) ? offset
        : null;

    private static string? Entry(TensorProto tensor, string key) => tensor.ExternalData.FirstOrDefault(e => e.Key == key)?.Value;
}
