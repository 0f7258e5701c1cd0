using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Onnx.Graph;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// Adapters as inputs of a transformer that takes them: the factors of several lie side by side, as one adapter of the sum of their ranks, where the sessions
/// compute. What an adapter holds whole takes the place of the model's own.
/// </summary>
internal sealed class AdapterFactors : IDisposable
{
    // Products of 16 bits need rows of so many numbers to be fast. What is beyond an adapter's rank is zero, as is all of a layer that none adapts.
    private const int RankStep = 8;
    private static int _made;

    private readonly List<(string Name, OnnxTensor Value)> _inputs = [];

    private AdapterFactors()
    {
    }

    /// <summary>A number that no other has.</summary>
    public int Number { get; } = Interlocked.Increment(ref _made);

    /// <summary>Whether one of the adapters holds or adapts what embeds the condition.</summary>
    public bool BringCondition { get; private init; }

    /// <summary>The tensors, by the inputs' names.</summary>
    public IReadOnlyList<(string Name, OnnxTensor Value)> Inputs => _inputs;

    /// <summary>Reads adapters and brings their factors to where the sessions compute. The transformer is opened for it.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="sessions">Its sessions.</param>
    /// <param name="adapters">The adapters, with their strengths; none is an adapter of zeros.</param>
    /// <param name="warn">Told what of a file was left out or passed over; null is nobody.</param>
    /// <param name="cancellationToken">Checked between layers.</param>
    /// <exception cref="WeightsException">A file is no adapter, does not fit, or holds what has no input: all of it is listed.</exception>
    public static AdapterFactors Load(
        OnnxModelFolder folder, OnnxSessions sessions, IReadOnlyList<LoraUse> adapters, Action<string>? warn, CancellationToken cancellationToken = default)
    {
        List<LoraTables> opened = [];
        AdapterFactors? factors = null;
        try
        {
            foreach (LoraUse adapter in adapters)
            {
                opened.Add(LoraTables.Open(adapter));
            }
            factors = new() { BringCondition = opened.Any(t => t.HasCondition) };
            foreach (string remark in opened.SelectMany(t => t.Remarks))
            {
                warn?.Invoke(remark);
            }
            using OnnxSessions.Lease lease = sessions.Use(OnnxSessions.Transformer, cancellationToken);
            Layer[] layers = Layer.Of(lease.Session);
            IReadOnlyDictionary<string, NodeMetadata> replaceable = lease.Session.OverridableInitializerMetadata;
            RequireFitting(folder, layers, replaceable, opened);
            foreach (Layer layer in layers)
            {
                cancellationToken.ThrowIfCancellationRequested();
                factors.Add(layer, [.. opened.Zip(adapters.Select(a => a.Scale))], sessions.Place);
            }
            foreach ((LoraTables tables, string name) in opened.SelectMany(t => t.Whole.Keys.Select(name => (t, name))))
            {
                factors.Replace(name, tables, Layer.TypeOf(replaceable[name]), sessions.Place);
            }
            return factors;
        }
        catch
        {
            factors?.Dispose();
            throw;
        }
        finally
        {
            opened.ForEach(t => t.Dispose());
        }
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach ((_, OnnxTensor value) in _inputs)
        {
            value.Dispose();
        }
        _inputs.Clear();
    }

    private static void RequireFitting(
        OnnxModelFolder folder, Layer[] layers, IReadOnlyDictionary<string, NodeMetadata> replaceable, List<LoraTables> adapters)
    {
        Dictionary<string, Layer> known = layers.ToDictionary(l => l.Name);
        List<string> faults = [];
        foreach (LoraTables adapter in adapters)
        {
            foreach ((string name, LoraLayerTables layer) in adapter.Layers)
            {
                if (!known.TryGetValue(name, out Layer? own))
                {
                    faults.Add($"'{adapter.Source}' adapts '{name}', which has no inputs for it");
                }
                else if (layer.Inputs != own.Inputs || layer.Outputs != own.Outputs)
                {
                    faults.Add(
                        $"'{name}' of '{adapter.Source}' adapts {layer.Inputs} inputs and {layer.Outputs} outputs where the layer has {own.Inputs} and "
                            + $"{own.Outputs}");
                }
            }
            foreach ((string name, LoraWholeTable whole) in adapter.Whole)
            {
                if (!replaceable.TryGetValue(name, out NodeMetadata? own))
                {
                    faults.Add($"'{adapter.Source}' holds '{name}' whole, which has no input");
                }
                else if (!whole.Shape.SequenceEqual(own.Dimensions.Reverse().Select(side => (long)side)))
                {
                    faults.Add(
                        $"'{name}' [{string.Join(", ", whole.Shape)}] of '{adapter.Source}' where the layer has "
                            + $"[{string.Join(", ", own.Dimensions.Reverse())}]");
                }
            }
            faults.AddRange(adapter.ClipLayers.Keys.Select(name => $"'{adapter.Source}' adapts CLIP's '{name}', which has no inputs for it"));
        }
        faults.AddRange(adapters.SelectMany(a => a.Whole.Keys.Select(name => (name, a.Source))).GroupBy(w => w.name, w => w.Source)
            .Where(w => w.Count() > 1)
            .Select(w => $"'{w.Key}' whole in both '{w.First()}' and '{w.Last()}', of which one alone can take the model's place"));
        if (faults.Count > 0)
        {
            const int Listed = 20;
            string more = faults.Count > Listed ? $"; and {faults.Count - Listed} more" : "";
            throw new WeightsException(
                folder.Path,
                "adapters over the transformer's linear layers alone, but those that make the modulation, of which one may hold the c_embedder whole",
                $"{string.Join("; ", faults.Take(Listed))}{more}. Merge such an adapter");
        }
    }

    private void Add(Layer layer, (LoraTables Tables, float Strength)[] adapters, TensorPlace place)
    {
        (LoraTables Tables, LoraLayerTables Layer, float Strength)[] found =
            [.. adapters.Where(a => a.Tables.Layers.ContainsKey(layer.Name)).Select(a => (a.Tables, a.Tables.Layers[layer.Name], a.Strength))];
        int rank = Math.Max(RankStep, (found.Sum(f => f.Layer.Rank) + RankStep - 1) / RankStep * RankStep);
        float[] a = new float[checked(layer.Inputs * rank)]; // [inputs, rank]
        float[] b = new float[checked(rank * layer.Outputs)]; // [rank, outputs]
        int first = 0;
        foreach ((LoraTables tables, LoraLayerTables own, float strength) in found)
        {
            (float[] ownA, float[] ownB) = own.Read();
            (int begin, float scale) = (first, own.Scale * strength);
            Parallel.For(0, layer.Inputs, input =>
            {
                for (int r = 0; r < own.Rank; r++)
                {
                    a[(input * rank) + begin + r] = ownA[(r * layer.Inputs) + input];
                }
            });
            Parallel.For(0, own.Rank, r =>
            {
                for (int output = 0; output < layer.Outputs; output++)
                {
                    b[((begin + r) * layer.Outputs) + output] = scale * ownB[(output * own.Rank) + r];
                }
            });
            first += own.Rank;
        }
        try
        {
            foreach ((int start, int count) in layer.Parts)
            {
                Add(new AdapterInput(layer.Name, true, start), a.AsSpan(start * rank, count * rank), count, rank);
            }
            Add(new AdapterInput(layer.Name, false, 0), b, rank, layer.Outputs);
        }
        catch (OverflowException e)
        {
            string sources = string.Join("' and '", found.Select(f => f.Tables.Source));
            throw new WeightsException(sources, $"factors of '{layer.Name}' that {layer.Type} holds at this strength", e.Message, e);
        }

        void Add(AdapterInput input, ReadOnlySpan<float> values, int rows, int columns)
        {
            using OnnxTensor host = OnnxTensor.Of(layer.Type, values, rows, columns);
            _inputs.Add((input.Name, place.FromHost(host)));
        }
    }

    /// <summary>Takes a tensor that an adapter holds whole. It has no strength, as where it is merged.</summary>
    private void Replace(string name, LoraTables tables, ElementType type, TensorPlace place)
    {
        LoraWholeTable whole = tables.Whole[name];
        float[] values = whole.Read();
        if (whole.Shape is [var outputs, var inputs])
        {
            values = Turned(values, (int)outputs, (int)inputs);
        }
        try
        {
            using OnnxTensor host = OnnxTensor.Of(type, values, [.. whole.Shape.Reverse()]);
            _inputs.Add((name, place.FromHost(host)));
        }
        catch (OverflowException e)
        {
            throw new WeightsException(tables.Source, $"numbers of '{name}' that {type} holds", e.Message, e);
        }
    }

    private static float[] Turned(float[] matrix, int rows, int columns)
    {
        float[] turned = new float[matrix.Length];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                turned[(column * rows) + row] = matrix[(row * columns) + column];
            }
        }
        return turned;
    }

    /// <summary>A layer that takes an adapter.</summary>
    /// <param name="Name">Its module name.</param>
    /// <param name="Type">The type of the factors.</param>
    /// <param name="Parts">The first input of each part in which it is multiplied, and how many they are.</param>
    /// <param name="Outputs">Its outputs.</param>
    private sealed record Layer(string Name, ElementType Type, IReadOnlyList<(int First, int Count)> Parts, int Outputs)
    {
        public int Inputs => Parts.Sum(p => p.Count);

        public static ElementType TypeOf(NodeMetadata input) => input.ElementDataType switch
        {
            TensorElementType.Float16 => ElementType.Float16,
            TensorElementType.BFloat16 => ElementType.BFloat16,
            _ => ElementType.Float32,
        };

        public static Layer[] Of(InferenceSession session)
        {
            (AdapterInput Input, NodeMetadata Metadata)[] inputs =
                [.. session.InputMetadata.Select(i => (AdapterInput.Of(i.Key), i.Value)).Where(i => i.Item1 is not null).Select(i => (i.Item1!, i.Value))];
            return
            [
                .. inputs.GroupBy(i => i.Input.Layer).Select(layer => new Layer(
                    layer.Key,
                    TypeOf(layer.First().Metadata),
                    [.. layer.Where(i => i.Input.IsA).Select(i => (i.Input.First, i.Metadata.Dimensions[0])).OrderBy(p => p.First)],
                    layer.Single(i => !i.Input.IsA).Metadata.Dimensions[1])),
            ];
        }
    }
}
