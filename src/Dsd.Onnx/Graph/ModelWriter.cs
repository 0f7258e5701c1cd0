using System.Runtime.ExceptionServices;
using Dsd.Common.Files;
using Google.Protobuf;

namespace Dsd.Onnx.Graph;

/// <summary>Writes a built graph as an ONNX model: one file, or two where the weights are too large for one.</summary>
public static class ModelWriter
{
    /// <summary>The model's file.</summary>
    public const string ModelFile = "model.onnx";

    /// <summary>
    /// The weights' file, where they do not lie in <see cref="ModelFile"/>. Where there are several, each has <c>-00001-of-00012</c> and so on behind it.
    /// </summary>
    public const string DataFile = "model.onnx.data";

    /// <summary>The most bytes of weights in <see cref="ModelFile"/>: a Protocol Buffers message cannot reach 2 GiB.</summary>
    public const long MostBytesInside = 1_500_000_000;

    /// <summary>The most bytes of weights in one file beside <see cref="ModelFile"/>, unless a single tensor has more.</summary>
    internal const long MostBytesBeside = 2_000_000_000;

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
        Write(builder, new HashedFolder(folder), cancellationToken);
    }

    /// <summary>The same, into a folder that keeps account of what was written.</summary>
    /// <inheritdoc cref="Write(GraphBuilder, string, CancellationToken)"/>
    public static void Write(GraphBuilder builder, HashedFolder folder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(folder);
        Write(builder, folder, MostBytesInside, MostBytesBeside, cancellationToken);
    }

    /// <summary>
    /// Writes <see cref="ModelFile"/>, and <see cref="DataFile"/> or several such files when the constants take more than the given bytes.
    /// </summary>
    /// <param name="builder">The graph.</param>
    /// <param name="folder">Where to write.</param>
    /// <param name="mostBytesInside">The most bytes of constants in <see cref="ModelFile"/>.</param>
    /// <param name="mostBytesBeside">The most bytes of constants in one of the other files.</param>
    /// <param name="cancellationToken">Checked between constants.</param>
    /// <param name="metadata">What the model says of itself, by key. Null is nothing.</param>
    /// <param name="constants">What is written for each constant of the graph; null is the constant itself.</param>
    /// <param name="filesAtOnce">How many files are written at once, each with a constant in memory.</param>
    internal static void Write(
        GraphBuilder builder, HashedFolder folder, long mostBytesInside, long mostBytesBeside, CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? metadata = null, Func<Initializer, Initializer>? constants = null, int filesAtOnce = 1)
    {
        GraphProto graph = builder.Graph.Clone();
        Initializer[] initializers = [.. builder.Initializers.Select(i => constants?.Invoke(i) ?? i)];
        bool external = initializers.Sum(i => i.ByteLength) > Math.Min(mostBytesInside, MostBytesInside);
        Placed[] beside = external ? Places([.. initializers.Where(i => i.ByteLength >= SmallTensor)], mostBytesBeside) : [];
        Dictionary<string, Placed> places = beside.ToDictionary(p => p.Initializer.Name);
        WriteBeside(beside, folder, filesAtOnce, cancellationToken);
        foreach (Initializer initializer in initializers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            graph.Initializer.Add(places.TryGetValue(initializer.Name, out Placed? place) ? Outside(place) : WriteInside(initializer, cancellationToken));
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

    /// <summary>Where each constant lies beside the model, in the order in which they are given.</summary>
    private static Placed[] Places(Initializer[] initializers, long mostBytes)
    {
        List<(Initializer Initializer, int File, long Offset)> places = [];
        (int file, long end) = (0, 0);
        foreach (Initializer initializer in initializers)
        {
            long alignment = initializer.ByteLength >= PageTensor ? Page : Alignment;
            long offset = (end + alignment - 1) / alignment * alignment;
            if (end > 0 && offset + initializer.ByteLength > mostBytes)
            {
                (file, offset) = (file + 1, 0);
            }
            places.Add((initializer, file, offset));
            end = offset + initializer.ByteLength;
        }
        return [.. places.Select(p => new Placed(
            p.Initializer, file == 0 ? DataFile : FormattableString.Invariant($"{DataFile}-{p.File + 1:00000}-of-{file + 1:00000}"), p.Offset))];
    }

    private static void WriteBeside(Placed[] beside, HashedFolder folder, int filesAtOnce, CancellationToken cancellationToken)
    {
        try
        {
            Parallel.ForEach(
                beside.GroupBy(p => p.File),
                new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = filesAtOnce },
                file =>
                {
                    using HashedFile data = folder.Create(file.Key);
                    foreach (Placed place in file)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        data.Write(new byte[place.Offset - data.Position]);
                        place.Initializer.Write(data, cancellationToken);
                        CheckLength(place.Initializer, data.Position - place.Offset);
                    }
                    data.Complete();
                });
        }
        catch (AggregateException e)
        {
            // What is wrong with one file is as good as what is wrong with all, and a cancelled one says nothing of the others.
            Exception first = e.InnerExceptions.FirstOrDefault(i => i is not OperationCanceledException) ?? e.InnerExceptions[0];
            ExceptionDispatchInfo.Throw(first);
        }
    }

    private static TensorProto Outside(Placed place) => new()
    {
        Name = place.Initializer.Name,
        DataType = (int)place.Initializer.Type.InFile(),
        Dims = { place.Initializer.Shape },
        DataLocation = TensorProto.Types.DataLocation.External,
        ExternalData =
        {
            new StringStringEntryProto { Key = "location", Value = place.File },
            new StringStringEntryProto { Key = "offset", Value = place.Offset.ToString() },
            new StringStringEntryProto { Key = "length", Value = place.Initializer.ByteLength.ToString() },
        },
    };

    private static void CheckLength(Initializer initializer, long written)
    {
        if (written != initializer.ByteLength)
        {
            throw new InvalidOperationException($"Initializer '{initializer.Name}' has {initializer.ByteLength} bytes, but {written} were written.");
        }
    }

    /// <summary>A constant that lies beside the model.</summary>
    private sealed record Placed(Initializer Initializer, string File, long Offset);
}
