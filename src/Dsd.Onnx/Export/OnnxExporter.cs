using System.Text.Json.Nodes;
using Dsd.Common.Files;
using Dsd.Models.Autoencoder;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Onnx.Families;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>Writes a whole model as an ONNX folder: the networks, and what is needed beside them to draw pictures.</summary>
/// <remarks>
/// The folder holds <c>transformer</c>, <c>modulation</c> (what the transformer needs of noise level, guidance and prompt), <c>vae_encoder</c>,
/// <c>vae_decoder</c>, <c>text_encoder</c> and <c>text_encoder_2</c>, each with a <c>model.onnx</c> (weights inside, or in <c>model.onnx.data</c> beside it,
/// in several files where there are many) and its config; copies of <c>tokenizer</c>, <c>tokenizer_2</c> and <c>scheduler</c>; and a <c>dsd.json</c> that
/// says how they belong together, what they were made of, and each file's length and SHA-256. Token counts, height and width are dynamic; the batch is,
/// unless the graphs are for CUDA. The same input gives the same bytes.
/// </remarks>
public static class OnnxExporter
{
    /// <summary>
    /// In a network's first component: vectors that were folded into other constants, so that adapters can be merged later. Absent where nothing was folded.
    /// </summary>
    internal const string KeptFile = "folded.safetensors";

    /// <summary>What a model's metadata call the adapters that are merged into it.</summary>
    internal const string AdapterKey = "adapter";

    private const long MostBytesCopied = 64_000_000;

    // Each has a weight in memory: FLUX.1-dev's largest take 0.1 GB.
    private const int FilesAtOnce = 4;

    /// <summary>Exports a model. The target appears whole or not at all.</summary>
    /// <param name="modelFolder">A pipeline folder in diffusers' layout.</param>
    /// <param name="lora">
    /// A LoRA to merge into the transformer, and what it holds for CLIP, if it is asked for, into CLIP's text encoder (<c>W + scale · B·A</c>, in single
    /// precision); one that brings a <c>c_embedder</c> makes the model conditional. Null is none.
    /// </param>
    /// <param name="outFolder">The ONNX folder to write: absent, empty, or an earlier export if <see cref="OnnxExportOptions.Overwrite"/> is set.</param>
    /// <param name="options">How; null is the defaults.</param>
    /// <param name="cancellationToken">Checked between pieces of weights.</param>
    /// <param name="progress">Told the name of each part before it is written.</param>
    /// <exception cref="WeightsException">A file of the model is missing, damaged, or does not fit its config; all tensors that do not fit are
    /// listed.</exception>
    /// <exception cref="ArgumentException">The options contradict the other arguments.</exception>
    /// <exception cref="IOException">The target cannot be written, or holds something else.</exception>
    /// <exception cref="OperationCanceledException">The export was cancelled; nothing is left of it.</exception>
    public static void Export(
        string modelFolder,
        LoraUse? lora,
        string outFolder,
        OnnxExportOptions? options = null,
        CancellationToken cancellationToken = default,
        IProgress<string>? progress = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(outFolder);
        options ??= new OnnxExportOptions();
        if (lora is null && options.LoraName is { } name)
        {
            throw new ArgumentException(
                $"Option {nameof(OnnxExportOptions.LoraName)} is '{name}', but there is no LoRA that it could be the name of.", nameof(options));
        }
        (ModelFamily family, ModelFolder model) = ModelFamilies.Open(modelFolder);
        OnnxFamily known = OnnxFamilies.Of(family.Name, model.IndexFile);
        using LoraTables? adapter = lora is null ? null : LoraTables.Open(lora);
        ExportPlan plan = known.Plan(model, options, bringsCondition: adapter?.HasCondition == true);
        if (options.AdapterInputs && !plan.TakesAdapters)
        {
            throw new ArgumentException(
                $"Option {nameof(OnnxExportOptions.AdapterInputs)} is set, but the family '{family.Name}' has no such graphs. Leave it out, and "
                    + "merge adapters.",
                nameof(options));
        }
        foreach (string remark in adapter?.Remarks ?? [])
        {
            options.Warn?.Invoke(remark);
        }
        AtomicFolder.Write(
            outFolder,
            mayReplace: folder => CheckReplaceable(folder, options.Overwrite),
            fill: folder =>
            {
                Writer writer = new(new HashedFolder(folder), options, progress, cancellationToken) { Model = Name(modelFolder) };
                string? merged = options.LoraName ?? Path.GetFileName(lora?.Source);
                if (lora?.File is { } adapterFile)
                {
                    using SafetensorsFile opened = SafetensorsFile.Open(adapterFile);
                    writer.Headers.Add($"lora/{Path.GetFileName(adapterFile)}", opened.HeaderSha256);
                }
                string? mark = lora is null ? null : Mark(merged!, lora.Scale);
                Write(plan.Network, adapter is null ? null : AdapterPart.OfNetwork((adapter, lora!.Scale)), writer, mark);
                Write(Autoencoder(plan.Vae, model), null, writer, null);
                foreach (ExportedNetwork encoder in plan.TextEncoders)
                {
                    AdapterPart? part = adapter is not null && encoder.IsClip ? AdapterPart.OfClip((adapter, lora!.Scale)) : null;
                    Write(encoder, part, writer, part is { IsEmpty: false } ? mark : null);
                }
                foreach (string part in plan.Copied)
                {
                    writer.Copy(model.ComponentFolder(part), part, "*");
                }
                Describe(plan, family.Name, options, writer, lora is null ? [] : new() { [merged!] = lora.Scale }).Write(folder);
            });
    }

    /// <summary>Refuses a target that <see cref="Export"/> would refuse, before anything is computed.</summary>
    /// <param name="outFolder">The ONNX folder to write.</param>
    /// <param name="options">How; null is the defaults.</param>
    /// <exception cref="IOException">The target cannot be written, or holds something else.</exception>
    public static void CheckTarget(string outFolder, OnnxExportOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(outFolder);
        if (File.Exists(outFolder))
        {
            throw new IOException($"Cannot write the ONNX folder '{outFolder}': a file stands there. Choose an empty or new folder.");
        }
        if (Directory.Exists(outFolder) && Directory.EnumerateFileSystemEntries(outFolder).Any())
        {
            CheckReplaceable(outFolder, options?.Overwrite == true);
        }
        WritablePlace.RequireMovedFolder(outFolder);
    }

    /// <summary>What an export says of an adapter that is merged into it.</summary>
    internal static string Mark(string name, float strength) => FormattableString.Invariant($"{name}, strength {strength}");

    /// <summary>Refuses a folder that is no earlier export, or may not be replaced.</summary>
    internal static void CheckReplaceable(string folder, bool overwrite)
    {
        if (!File.Exists(Path.Combine(folder, OnnxManifest.FileName)))
        {
            throw new IOException(
                $"Cannot write the ONNX folder '{folder}': it holds other files, and no {OnnxManifest.FileName} of an earlier export. "
                    + "Choose an empty or new folder.");
        }
        if (!overwrite)
        {
            throw new IOException(
                $"Cannot write the ONNX folder '{folder}': an earlier export stands there. "
                    + $"Set {nameof(OnnxExportOptions.Overwrite)} to replace it, or choose another folder.");
        }
    }

    private static void Write(ExportedNetwork network, AdapterPart? adapter, Writer writer, string? adapterName)
    {
        using WeightSource source = WeightSource.Open(network.WeightsFolder);
        bool prefixed = network.Prefix is { } prefix && source.Names.Any(n => n.StartsWith(prefix, StringComparison.Ordinal));
        CheckpointWeights weights = new(source, prefixed ? network.Prefix! : "", adapter);
        (string Component, GraphBuilder Graph)[] models = [.. network.Models.Select(m => (m.Component, m.Build(weights)))];
        weights.Check(network.Belongs);
        writer.AddSource(Path.GetFileName(Path.TrimEndingDirectorySeparator(network.WeightsFolder)), source);
        foreach ((string component, GraphBuilder graph) in models)
        {
            writer.WriteModel(component, graph, adapterName);
            WriteConfig(network, component, writer);
        }
        if (weights.Kept.Count > 0)
        {
            writer.WriteKept(models[0].Component, weights.Kept);
        }
    }

    private static void WriteConfig(ExportedNetwork network, string component, Writer writer)
    {
        if (network.ClassName is null)
        {
            writer.Copy(network.WeightsFolder, component, "config.json");
            return;
        }
        JsonNode config = JsonNode.Parse(Text(Path.Combine(network.WeightsFolder, "config.json")).Span)!;
        config["_class_name"] = network.ClassName;
        writer.Text(component, "config.json", config.ToJsonString(new() { WriteIndented = true, NewLine = "\n" }));
    }

    private static ReadOnlyMemory<byte> Text(string file) =>
        SmallFile.Utf8(file, MostBytesCopied, (expected, found) => new WeightsException(file, expected, found));

    private static ExportedNetwork Autoencoder(VaeConfig config, ModelFolder model) => new(
        model.ComponentFolder("vae"),
        new ExportedModel("vae_encoder", weights => VaeEncoderExport.Build(config, weights)),
        new ExportedModel("vae_decoder", weights => VaeDecoderExport.Build(config, weights)));

    private static OnnxManifest Describe(ExportPlan plan, string family, OnnxExportOptions options, Writer writer, Dictionary<string, float> adapters) =>
        new()
        {
            FormatVersion = OnnxManifest.Version,
            Family = family,
            Precision = options.Precision,
            Graphs = options.Target,
            Conditional = plan.Conditional,
            Guidance = plan.Guidance,
            InChannels = plan.Vae.LatentChannels * plan.Patch * plan.Patch,
            Patch = plan.Patch,
            Frames = plan.Frames,
            LatentChannels = plan.Vae.LatentChannels,
            VaeFactor = plan.Vae.Factor,
            ScalingFactor = plan.Vae.ScalingFactor,
            ShiftFactor = plan.Vae.ShiftFactor ?? 0f,
            FrameWidth = options.FrameWidth,
            FrameHeight = options.FrameHeight,
            Adapters = adapters,
            TakesAdapters = plan.TakesAdapters,
            ConditionFromAdapters = plan.ConditionFromAdapters,
            ToolVersion = ModelWriter.ProducerVersion,
            Source = new OnnxSource { Model = writer.Model, Release = options.ReleaseFolder is { } release ? Name(release) : null, Headers = writer.Headers },
            Files = writer.Files.ToDictionary(f => f.Key, f => f.Value.Length),
            Sha256 = writer.Files.ToDictionary(f => f.Key, f => f.Value.Sha256),
        };

    /// <summary>What a model says of itself.</summary>
    internal static Dictionary<string, string> Metadata(string source, string? adapters)
    {
        Dictionary<string, string> metadata = new() { ["source"] = source, ["tool"] = $"{ModelWriter.Producer} {ModelWriter.ProducerVersion}" };
        if (adapters is not null)
        {
            metadata.Add(AdapterKey, adapters);
        }
        return metadata;
    }

    /// <summary>A folder's own name, without the way to it.</summary>
    private static string Name(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    /// <summary>Writes the parts of an ONNX folder.</summary>
    private sealed class Writer(HashedFolder folder, OnnxExportOptions options, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        /// <summary>The name of the model's folder.</summary>
        public required string Model { get; init; }

        /// <summary>Hashes of the headers of what was read, in the order of their names.</summary>
        public SortedDictionary<string, string> Headers { get; } = new(StringComparer.Ordinal);

        /// <summary>What was written.</summary>
        public IReadOnlyDictionary<string, FileHash> Files => folder.Files;

        public void AddSource(string component, WeightSource source)
        {
            foreach ((string file, string hash) in source.HeaderHashes)
            {
                Headers.Add($"{component}/{file}", hash);
            }
        }

        public void WriteModel(string component, GraphBuilder graph, string? adapter = null)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress?.Report(component);
            ModelWriter.Write(
                graph, folder.Inner(component), options.MostBytesInside, options.MostBytesBeside, cancellationToken, Metadata(Model, adapter),
                filesAtOnce: Math.Min(FilesAtOnce, Environment.ProcessorCount));
        }

        public void WriteKept(string component, IReadOnlyDictionary<string, float[]> kept)
        {
            using HashedFile file = folder.Inner(component).Create(KeptFile);
            SafetensorsWriter.Write(file, $"{component}/{KeptFile}", [.. kept.Select(k => (k.Key, new long[] { k.Value.Length }, k.Value))]);
            file.Complete();
        }

        public void Text(string component, string file, string text) => folder.Inner(component).WriteText(file, text + "\n");

        public void Copy(string from, string component, string pattern)
        {
            foreach (string file in Directory.EnumerateFiles(from, pattern).Order(StringComparer.Ordinal))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (new FileInfo(file).Length > MostBytesCopied)
                {
                    throw new WeightsException(file, $"at most {MostBytesCopied} bytes beside the models", $"{new FileInfo(file).Length}");
                }
                folder.Inner(component).Copy(file);
            }
        }
    }
}
