using Dsd.Common.Files;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Onnx.Families;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Export;

/// <summary>
/// Merges adapters into a model that was exported already, without the checkpoint and without libtorch. The constants that an adapter changes are read from
/// the exported model, changed in single precision, and written in the export's own precision into a new folder.
/// </summary>
/// <remarks>
/// The result equals an export with the same adapters, but for one rounding: the export's numbers, which were rounded to its precision once, are rounded a
/// second time. Files that no adapter changes are the same files under a second name, where the file system has such, and copies elsewhere: leave an export's
/// files as they are.
/// </remarks>
public static class OnnxMerger
{
    /// <summary>Merges adapters. The target appears whole or not at all.</summary>
    /// <param name="folder">
    /// An exported model in float32, float16 or bfloat16. It stays as it is. What was merged into it before stays in it: to change adapters, keep one export
    /// without any and merge each into it.
    /// </param>
    /// <param name="adapters">One adapter or more, each with its strength.</param>
    /// <param name="outFolder">The ONNX folder to write: absent, empty, or an earlier export if <see cref="OnnxMergeOptions.Overwrite"/> is set.</param>
    /// <param name="options">How; null is the defaults.</param>
    /// <param name="cancellationToken">Checked between pieces of weights.</param>
    /// <param name="progress">Told the name of each part before it is written.</param>
    /// <exception cref="WeightsException">
    /// The folder is no export of this version; an adapter's file is none, or does not fit the model: everything that does not fit is listed; or the weights
    /// have 4 or 8 bits, which would be rounded anew.
    /// </exception>
    /// <exception cref="ArgumentException">There is no adapter.</exception>
    /// <exception cref="IOException">A file cannot be read, or the target cannot be written or holds something else.</exception>
    /// <exception cref="OperationCanceledException">The merge was cancelled; nothing is left of it.</exception>
    public static void Merge(
        string folder,
        IReadOnlyList<LoraUse> adapters,
        string outFolder,
        OnnxMergeOptions? options = null,
        CancellationToken cancellationToken = default,
        IProgress<string>? progress = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(adapters);
        ArgumentException.ThrowIfNullOrEmpty(outFolder);
        if (adapters.Count == 0)
        {
            throw new ArgumentException("There is no adapter to merge.", nameof(adapters));
        }
        options ??= new OnnxMergeOptions();
        OnnxModelFolder model = OnnxModelFolder.Open(folder);
        List<LoraTables> opened = [];
        Dictionary<string, Changed> changes = [];
        try
        {
            foreach (LoraUse adapter in adapters)
            {
                opened.Add(LoraTables.Open(adapter));
            }
            foreach (string remark in opened.SelectMany(a => a.Remarks))
            {
                options.Warn?.Invoke(remark);
            }
            (LoraTables Tables, float Strength)[] uses = [.. opened.Zip(adapters.Select(a => a.Scale))];
            Check(model, uses);
            foreach (ExportedNetwork network in OnnxFamilies.Of(model.Family, Path.Combine(folder, OnnxManifest.FileName)).Adaptable(model))
            {
                Find(model, network, network.IsClip ? AdapterPart.OfClip(uses) : AdapterPart.OfNetwork(uses), changes);
            }
            OnnxManifest merged = model.Manifest with
            {
                ConditionFromAdapters = model.Manifest.ConditionFromAdapters && !opened.Any(a => a.HasCondition),
            };
            AtomicFolder.Write(
                outFolder,
                mayReplace: target => OnnxExporter.CheckReplaceable(target, options.Overwrite),
                fill: target => Write(model, merged, adapters, changes, target, cancellationToken, progress));
        }
        finally
        {
            opened.ForEach(a => a.Dispose());
            foreach (Changed change in changes.Values)
            {
                change.Before.Dispose();
            }
        }
    }

    private static void Check(OnnxModelFolder model, (LoraTables Tables, float Strength)[] adapters)
    {
        if (model.Precision is ExportPrecision.Int4 or ExportPrecision.Int8)
        {
            throw new WeightsException(
                model.Path, "weights in float32, float16 or bfloat16",
                $"{model.Precision}, which would be rounded anew. Export the model again with the adapter merged");
        }
        if (!model.Manifest.Conditional && adapters.FirstOrDefault(a => a.Tables.HasCondition).Tables is { } student)
        {
            throw new WeightsException(
                model.Path, $"a model that takes a reference, for '{student.Source}', which has a c_embedder",
                "one that draws from text alone. Export the model again with this adapter");
        }
    }

    /// <summary>Notes the models of a network that the adapters change.</summary>
    private static void Find(OnnxModelFolder model, ExportedNetwork network, AdapterPart part, Dictionary<string, Changed> changes)
    {
        if (part.IsEmpty)
        {
            return;
        }
        CheckpointWeights weights = new(network.WeightsFolder, Kept(model, network), part);
        (string Component, GraphBuilder Graph)[] built = [.. network.Models.Select(m => (m.Component, m.Build(weights)))];
        weights.Check();
        foreach ((string component, GraphBuilder graph) in built.Where(b => b.Graph.Initializers.Any(i => i.IsReplaced || i.Adapt is not null)))
        {
            ExportedConstants before = ExportedConstants.Open(model, component);
            changes.Add(component, new Changed(graph, before));
            before.RequireSame(graph);
        }
    }

    private static Dictionary<string, float[]> Kept(OnnxModelFolder model, ExportedNetwork network)
    {
        string component = network.Models[0].Component;
        if (!model.Files.ContainsKey($"{component}/{OnnxExporter.KeptFile}"))
        {
            return [];
        }
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(model.Folder(component), OnnxExporter.KeptFile));
        return file.Entries.ToDictionary(e => e.Key, e =>
        {
            float[] values = new float[checked((int)e.Value.ElementCount)];
            file.ReadFloats(e.Key, 0, values);
            return values;
        });
    }

    private static void Write(
        OnnxModelFolder model, OnnxManifest manifest, IReadOnlyList<LoraUse> adapters, Dictionary<string, Changed> changes, string target,
        CancellationToken cancellationToken, IProgress<string>? progress)
    {
        HashedFolder folder = new(target);
        foreach ((string name, long length) in model.Files.Where(f => !IsRewritten(f.Key, changes)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            (HashedFolder place, string file) = (folder, Path.Combine(model.Path, name));
            foreach (string inner in name.Split('/')[..^1])
            {
                place = place.Inner(inner);
            }
            place.Take(file, new FileHash(length, model.Hashes[name]));
        }
        foreach ((string component, Changed change) in changes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress?.Report(component);
            IEnumerable<string> now = adapters.Select(a => OnnxExporter.Mark(Path.GetFileName(a.Source), a.Scale));
            string all = string.Join("; ", change.Before.Adapters is { } before ? now.Prepend(before) : now);
            bool beside = model.Files.Keys.Any(f => f.StartsWith($"{component}/{ModelWriter.DataFile}", StringComparison.Ordinal));
            ModelWriter.Write(
                change.Graph, folder.Inner(component), beside ? 0 : ModelWriter.MostBytesInside, ModelWriter.MostBytesBeside, cancellationToken,
                OnnxExporter.Metadata(model.Source.Model, all), change.Before.With, Environment.ProcessorCount);
        }
        SortedDictionary<string, string> headers = new(model.Source.Headers.ToDictionary(), StringComparer.Ordinal);
        Dictionary<string, float> merged = model.Adapters.ToDictionary();
        foreach (LoraUse adapter in adapters)
        {
            string file = Path.GetFileName(adapter.Source);
            string name = Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? file : $"{file} ({i})").First(n => !merged.ContainsKey(n));
            merged.Add(name, adapter.Scale);
            if (adapter.File is { } path)
            {
                using SafetensorsFile opened = SafetensorsFile.Open(path);
                headers[$"lora/{name}"] = opened.HeaderSha256;
            }
        }
        (manifest with
        {
            Adapters = merged,
            ToolVersion = ModelWriter.ProducerVersion,
            Source = model.Source with { Headers = headers },
            Files = folder.Files.ToDictionary(f => f.Key, f => f.Value.Length),
            Sha256 = folder.Files.ToDictionary(f => f.Key, f => f.Value.Sha256),
        }).Write(target);
    }

    private static bool IsRewritten(string file, Dictionary<string, Changed> changes) =>
        changes.Keys.Any(component => file.StartsWith($"{component}/{ModelWriter.ModelFile}", StringComparison.Ordinal));

    /// <summary>A model that adapters change.</summary>
    private sealed record Changed(GraphBuilder Graph, ExportedConstants Before);
}
