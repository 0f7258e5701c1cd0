using System.Runtime.InteropServices;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>
/// An adapter's numbers as arrays, for whoever merges it where there is no libtorch. Those of a file are checked once and read a layer at a time, so that no
/// adapter need be in memory whole.
/// </summary>
public sealed class LoraTables : IDisposable
{
    private readonly SafetensorsFile? _file;

    private LoraTables(SafetensorsFile? file, string source) => (_file, Source) = (file, source);

    /// <summary>The adapter's file, or where it came from; for messages.</summary>
    public string Source { get; }

    /// <summary>The denoising network's adapted layers by module name, such as <c>transformer_blocks.0.attn.to_q</c>.</summary>
    public required IReadOnlyDictionary<string, LoraLayerTables> Layers { get; init; }

    /// <summary>The adapted layers of CLIP's text encoder by module name; empty unless the file has them and they were asked for.</summary>
    public required IReadOnlyDictionary<string, LoraLayerTables> ClipLayers { get; init; }

    /// <summary>Tensors of the denoising network that the adapter holds whole, by parameter name, such as <c>c_embedder.weight</c>.</summary>
    public required IReadOnlyDictionary<string, LoraWholeTable> Whole { get; init; }

    /// <summary>What of the file was left out or passed over, in sentences; empty for most.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }

    /// <summary>Whether it holds or adapts a <c>c_embedder</c>, and so needs a conditional network.</summary>
    public bool HasCondition => Whole.ContainsKey(LoraLayers.Condition + ".weight") || Layers.ContainsKey(LoraLayers.Condition);

    /// <summary>Opens an adapter.</summary>
    /// <param name="use">The adapter. One in memory must outlive the result.</param>
    /// <exception cref="WeightsException">The file is no adapter, or something in it cannot be applied, as <see cref="LoraAdapter.Load(string,
    /// LoraTextEncoders)"/> says.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LoraTables Open(LoraUse use)
    {
        ArgumentNullException.ThrowIfNull(use);
        return use.Adapter is { } adapter ? Of(adapter) : Of(use.File!, use.TextEncoders);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file?.Dispose();

    private static LoraTables Of(LoraAdapter adapter) => new(null, adapter.Source)
    {
        Layers = adapter.Factors.ToDictionary(f => f.Key, f => Layer(f.Value)),
        ClipLayers = adapter.ClipFactors.ToDictionary(f => f.Key, f => Layer(f.Value)),
        Whole = adapter.Whole.ToDictionary(w => w.Key, w => new LoraWholeTable(w.Value.shape, () => Numbers(w.Value))),
        Remarks = adapter.Remarks,
    };

    private static LoraTables Of(string path, LoraTextEncoders textEncoders)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        try
        {
            LoraContents contents = LoraFile.Contents(file, textEncoders);
            LoraContents.Layer[] clip = textEncoders == LoraTextEncoders.Apply ? [.. contents.ClipLayers] : [];
            foreach (string key in contents.Layers.Concat(clip).SelectMany(l => new[] { l.A.Name, l.B.Name }).Concat(contents.Whole.Values).Distinct())
            {
                RequireFinite(file, key);
            }
            return new LoraTables(file, path)
            {
                Layers = contents.Layers.SelectMany(l => Parts(file, l)).ToDictionary(),
                ClipLayers = clip.SelectMany(l => Parts(file, l)).ToDictionary(),
                Whole = contents.Whole.ToDictionary(w => w.Key, w => new LoraWholeTable(file.Entry(w.Value).Shape, () => Numbers(file, w.Value))),
                Remarks = contents.RemarksFor(textEncoders),
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The layers of this library that a pair of factors in a file is for, each with its share of the outputs.</summary>
    private static IEnumerable<KeyValuePair<string, LoraLayerTables>> Parts(SafetensorsFile file, LoraContents.Layer layer)
    {
        long first = 0;
        foreach ((string module, long outputs) in layer.Parts.Modules.Zip(layer.Outputs))
        {
            long begin = first;
            yield return new(module, new LoraLayerTables(
                layer.Rank,
                layer.A.Shape[1],
                outputs,
                layer.Alpha / layer.Rank,
                () => (Numbers(file, layer.A.Name), Rows(file, layer, begin, outputs))));
            first += outputs;
        }
    }

    private static float[] Rows(SafetensorsFile file, LoraContents.Layer layer, long first, long count)
    {
        int rank = layer.Rank;
        float[] rows = new float[checked(count * rank)];
        if (!layer.Parts.HalvesSwapped)
        {
            file.ReadFloats(layer.B.Name, first * rank, rows);
            return rows;
        }
        // A layer whose halves are swapped is a layer by itself.
        int half = rows.Length / 2;
        file.ReadFloats(layer.B.Name, half, rows.AsSpan(0, half));
        file.ReadFloats(layer.B.Name, 0, rows.AsSpan(half));
        return rows;
    }

    private static void RequireFinite(SafetensorsFile file, string key)
    {
        const int Block = 1 << 16;
        LoraFile.RequireFloats(file, key);
        long count = file.Entry(key).ElementCount;
        float[] block = new float[Math.Min(Block, count)];
        long wrong = 0;
        for (long first = 0; first < count; first += block.Length)
        {
            Span<float> values = block.AsSpan(0, (int)Math.Min(block.Length, count - first));
            file.ReadFloats(key, first, values);
            foreach (float value in values)
            {
                wrong += float.IsFinite(value) ? 0 : 1;
            }
        }
        if (wrong > 0)
        {
            throw LoraFile.NotFinite(file, key, wrong, count);
        }
    }

    private static float[] Numbers(SafetensorsFile file, string key)
    {
        float[] values = new float[checked((int)file.Entry(key).ElementCount)];
        file.ReadFloats(key, 0, values);
        return values;
    }

    private static LoraLayerTables Layer(LoraFactors factors) =>
        new(factors.Rank, factors.A.shape[1], factors.B.shape[0], factors.Scale, () => (Numbers(factors.A), Numbers(factors.B)));

    private static float[] Numbers(Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, float>(tensor.to(ScalarType.Float32).contiguous().bytes).ToArray();
    }
}
