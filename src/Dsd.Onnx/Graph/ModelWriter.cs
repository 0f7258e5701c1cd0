using Dsd.Common.Files;
using Google.Protobuf;

namespace Dsd.Onnx.Graph;

/// <summary>Writes a built graph as an ONNX model: one file, or two where the weights are too large for one.</summary>
public static class ModelWriter
{
    /// <summary>The model's file.</summary>
    public const string ModelFile = "model.onnx";

    /// <summary>The weights' file, where they do not lie in <see cref="ModelFile"/>.</summary>
    public const string DataFile = "model.onnx.data";

    /// <summary>The most bytes of weights in <see cref="ModelFile"/>: a Protocol Buffers message cannot reach 2 GiB.</summary>
    public const long MostBytesInside = 1_500_000_000;

    /// <summary>What writes models.</summary>
    internal const string Producer = "Dsd.MLNet";

    private const int IrVersion = 11;

    // Tensors from this size on start at a page of their own, so that readers can map them into memory.
    private const long PageTensor = 64 * 1024;
    private const long Page = 4096;
    private const long Alignment = 64;

    // Shapes and small tables stay in the model, where tools read them.
    private const long SmallTensor = 1024;

    /// <summary>The version of what writes models: three numbers.</summary>
    internal static string ProducerVersion { get; } = typeof(ModelWriter).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>
    /// Writes <see cref="ModelFile"/>, and <see cref="DataFile"/> when the constants take more than <see cref="MostBytesInside"/>, into a folder, which is made
    /// if need be. A file of either name that is there is an error.
    /// </summary>
    /// <param name="builder">The graph.</param>
    /// <param name="folder">Where to write.</param>
    /// <param name="cancellationToken">Checked between constants.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The writing was cancelled.</exception>
    public static void Write(GraphBuilder builder, string folder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Directory.CreateDirectory(folder);
        Write(builder, new HashedFolder(folder), MostBytesInside, cancellationToken);
    }

    /// <summary>
    /// Writes <see cref="ModelFile"/>, and <see cref="DataFile"/> when the constants take more than the given bytes.
    /// </summary>
    /// <param name="builder">The graph.</param>
    /// <param name="folder">Where to write.</param>
    /// <param name="mostBytesInside">The most bytes of constants in <see cref="ModelFile"/>.</param>
    /// <param name="cancellationToken">Checked between constants.</param>
    /// <param name="metadata">What the model says of itself, by key. Null is nothing.</param>
    internal static void Write(
        GraphBuilder builder, HashedFolder folder, long mostBytesInside, CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        GraphProto graph = builder.Graph.Clone();
        bool external = builder.Initializers.Sum(i => i.ByteLength) > Math.Min(mostBytesInside, MostBytesInside);
        using (HashedFile? data = external ? folder.Create(DataFile) : null)
        {
            foreach (Initializer initializer in builder.Initializers)
            {
                cancellationToken.ThrowIfCancellationRequested();
                graph.Initializer.Add(data is not null && initializer.ByteLength >= SmallTensor
                    ? WriteBeside(initializer, data, cancellationToken)
                    : WriteInside(initializer, cancellationToken));
            }
            data?.Complete();
        }
        ModelProto model = Model(graph, metadata);
        using HashedFile file = folder.Create(ModelFile);
        model.WriteTo(file);
        file.Complete();
    }

    /// <summary>A small model in memory.</summary>
    public static byte[] Bytes(GraphBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        GraphProto graph = builder.Graph.Clone();
        graph.Initializer.AddRange(builder.Initializers.Select(i => WriteInside(i, CancellationToken.None)));
        return Model(graph, null).ToByteArray();
    }

    private static ModelProto Model(GraphProto graph, IReadOnlyDictionary<string, string>? metadata)
    {
        ModelProto model = new()
        {
            IrVersion = IrVersion,
            ProducerName = Producer,
            ProducerVersion = ProducerVersion,
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = GraphBuilder.Opset } },
            MetadataProps = { (metadata ?? new Dictionary<string, string>()).Select(m => new StringStringEntryProto { Key = m.Key, Value = m.Value }) },
        };
        if (graph.Node.Any(n => n.Domain == GraphBuilder.RuntimeDomain))
        {
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = GraphBuilder.RuntimeDomain, Version = 1 });
        }
        return model;
    }

    private static TensorProto WriteInside(Initializer initializer, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[initializer.ByteLength];
        using MemoryStream stream = new(bytes);
        initializer.Write(stream, cancellationToken);
        CheckLength(initializer, stream.Position);
        return new TensorProto
        {
            Name = initializer.Name,
            DataType = (int)initializer.Type.InFile(),
            Dims = { initializer.Shape },
            RawData = UnsafeByteOperations.UnsafeWrap(bytes),
        };
    }

    private static TensorProto WriteBeside(Initializer initializer, HashedFile data, CancellationToken cancellationToken)
    {
        long alignment = initializer.ByteLength >= PageTensor ? Page : Alignment;
        long offset = (data.Position + alignment - 1) / alignment * alignment;
        data.Write(new byte[offset - data.Position]);
        initializer.Write(data, cancellationToken);
        CheckLength(initializer, data.Position - offset);
        return new TensorProto
        {
            Name = initializer.Name,
            DataType = (int)initializer.Type.InFile(),
            Dims = { initializer.Shape },
            DataLocation = TensorProto.Types.DataLocation.External,
            ExternalData =
            {
                new StringStringEntryProto { Key = "location", Value = DataFile },
                new StringStringEntryProto { Key = "offset", Value = offset.ToString() },
                new StringStringEntryProto { Key = "length", Value = initializer.ByteLength.ToString() },
            },
        };
    }

    private static void CheckLength(Initializer initializer, long written)
    {
        if (written != initializer.ByteLength)
        {
            throw new InvalidOperationException($"Initializer '{initializer.Name}' has {initializer.ByteLength} bytes, but {written} were written.");
        }
    }
}
