using Dsd.Evaluation.Encoders;
using Dsd.Imaging;
using Dsd.Onnx.Runtime;

namespace Dsd.Evaluation.Metrics;

/// <summary>The metrics that are cosines of embeddings, and the encoders that they share. Owns the encoders.</summary>
public sealed class SimilarityMetrics : IDisposable
{
    private readonly List<EmbeddingMemo> _encoders = [];

    private SimilarityMetrics()
    {
    }

    /// <summary>The names that <see cref="Open"/> takes.</summary>
    public static IReadOnlyList<string> Known { get; } =
        [MetricNames.ClipI, MetricNames.ClipT, MetricNames.Dino, MetricNames.DinoV2, MetricNames.Csd, MetricNames.CopyPaste];

    /// <summary>The metrics, in the order that was asked for.</summary>
    public IReadOnlyList<IPairMetric> Metrics { get; private set; } = [];

    /// <summary>Opens what some metrics need.</summary>
    /// <param name="names">Of <see cref="Known"/>, each once.</param>
    /// <param name="encoders">
    /// The folders of exported encoders, one of each kind that the metrics need. <see cref="MetricNames.CopyPaste"/> takes the first of CLIP, DINOv2, DINO and
    /// CSD that is among them.
    /// </param>
    /// <param name="options">Where to compute; null is the processor.</param>
    /// <param name="batch">At most how many pictures are computed at once, 1 to 1024.</param>
    /// <exception cref="ArgumentException">A name is not known or comes twice, an encoder is missing, or there are two of one kind.</exception>
    /// <exception cref="Models.Weights.WeightsException">A folder is no encoder's, or a file is missing or cut short.</exception>
    /// <exception cref="NotSupportedException">None of the providers can be had here.</exception>
    public static SimilarityMetrics Open(IReadOnlyList<string> names, IReadOnlyList<string> encoders, OnnxRuntimeOptions? options = null, int batch = 16)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(encoders);
        string[] wrong = [.. names.Where(n => !Known.Contains(n)), .. names.GroupBy(n => n).Where(g => g.Count() > 1).Select(g => g.Key)];
        if (names.Count == 0 || wrong.Length > 0)
        {
            throw new ArgumentException(
                $"Metrics are of {string.Join(", ", Known)}, each once, but found {(wrong.Length > 0 ? $"'{wrong[0]}'" : "none")}.", nameof(names));
        }
        EncoderFolder[] folders = [.. encoders.Select(EncoderFolder.Open)];
        if (folders.GroupBy(f => f.Kind).FirstOrDefault(g => g.Count() > 1) is { } several)
        {
            throw new ArgumentException(
                $"One encoder of a kind is taken, but {string.Join(" and ", several.Select(f => $"'{f.Path}'"))} are both {several.Key}. "
                    + "Measure with the other in a run of its own.",
                nameof(encoders));
        }
        EncoderFolder[] needed = [.. names.Select(name => Needed(name, folders))];
        SimilarityMetrics opened = new();
        try
        {
            foreach (EncoderFolder folder in needed.Distinct())
            {
                opened._encoders.Add(new EmbeddingMemo(PictureEncoder.Open(folder.Path, options)));
            }
            opened.Metrics = [.. names.Zip(needed, (name, folder) => Metric(name, opened._encoders.Single(e => e.Folder.Kind == folder.Kind), batch))];
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Closes the encoders.</summary>
    public void Dispose() => _encoders.ForEach(e => e.Dispose());

    private static EncoderFolder Needed(string name, EncoderFolder[] folders)
    {
        EncoderKind[] kinds = name == MetricNames.CopyPaste
            ? [EncoderKind.Clip, EncoderKind.DinoV2, EncoderKind.Dino, EncoderKind.Csd]
            : name == MetricNames.ClipT ? [EncoderKind.Clip]
            : [Enum.GetValues<EncoderKind>().Single(k => MetricNames.Of(k) == name)];
        return kinds.Select(kind => folders.FirstOrDefault(f => f.Kind == kind)).FirstOrDefault(f => f is not null) ?? throw new ArgumentException(
            $"Metric '{name}' needs an encoder of kind {string.Join(" or ", kinds)}, but {(folders.Length == 0 ? "no encoder is given" : "there are "
                + string.Join(", ", folders.Select(f => $"'{f.Path}' ({f.Kind})")))}. Export one with 'dsd export --encoder'.",
            nameof(folders));
    }

    private static EncoderMetric Metric(string name, EmbeddingMemo encoder, int batch)
    {
        return name switch
        {
            MetricNames.ClipT => new EncoderMetric(name, encoder.Folder, -1, needsPrompt: true, (items, cancel) =>
            {
                float[][] pictures = encoder.Encode([.. items.Select(i => i.Generated)], batch, cancel);
                float[][] texts = encoder.EncodeTexts([.. items.Select(i => i.Prompt!)], cancellationToken: cancel);
                return [.. pictures.Zip(texts, (p, t) => Similarity.Cosine(p, t))];
            }),
            MetricNames.CopyPaste => new EncoderMetric(name, encoder.Folder, 0, needsPrompt: false, (items, cancel) =>
            {
                double[] mirrored = Cosines(items, i => encoder.Mirrored(i.Reference), cancel);
                return [.. Cosines(items, i => i.Reference, cancel).Zip(mirrored, Similarity.CopyPaste)];
            }),
            _ => new EncoderMetric(name, encoder.Folder, -1, needsPrompt: false, (items, cancel) => Cosines(items, i => i.Reference, cancel)),
        };

        double[] Cosines(IReadOnlyList<MetricItem> items, Func<MetricItem, Picture> reference, CancellationToken cancel)
        {
            float[][] embeddings = encoder.Encode([.. items.Select(reference), .. items.Select(i => i.Generated)], batch, cancel);
            return [.. Enumerable.Range(0, items.Count).Select(i => Similarity.Cosine(embeddings[i], embeddings[items.Count + i]))];
        }
    }

    private sealed class EncoderMetric(
        string name, EncoderFolder folder, double least, bool needsPrompt, Func<IReadOnlyList<MetricItem>, CancellationToken, double[]> compute) : IPairMetric
    {
        public string Name => name;

        public string Source => $"{folder.Kind} ({folder.Source})";

        public double Least => least;

        public double Most => 1;

        public bool NeedsPrompt => needsPrompt;

        public string Fingerprint { get; } = $"{name} {folder.Fingerprint}";

        public Task<IReadOnlyList<double?>> ComputeAsync(IReadOnlyList<MetricItem> items, CancellationToken cancellationToken = default) =>
            Task.Run<IReadOnlyList<double?>>(() => [.. compute(items, cancellationToken)], cancellationToken);
    }
}
