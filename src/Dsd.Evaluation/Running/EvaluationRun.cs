using System.Text;
using Dsd.Common.Files;
using Dsd.Curation.Judging;
using Dsd.Dataset.Formats;
using Dsd.Evaluation.Agreement;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Metrics;
using Dsd.Imaging;

namespace Dsd.Evaluation.Running;

/// <summary>
/// Scores pictures and writes a report. What was scored is kept in the folder (<c>scores.jsonl</c>), so that a run that was cut off goes on where it was, and a
/// metric or system more computes only what is new.
/// </summary>
public sealed class EvaluationRun
{
    /// <summary>The files that a run writes beside its scores.</summary>
    public const string ResultsFile = "results.json";

    /// <summary>Every score as a row of a Parquet file.</summary>
    public const string TableFile = "scores.parquet";

    /// <summary>The report: one file that needs no other.</summary>
    public const string ReportFile = "report.html";

    // References that are held decoded, so that a subject's pictures share one.
    private const int MostReferences = 32;

    private readonly IReadOnlyList<IPairMetric> _metrics;
    private readonly IReadOnlyList<EvaluationSystem> _systems;
    private readonly EvaluationOptions _options;

    /// <summary>A run that scores the pictures of some systems.</summary>
    /// <param name="metrics">What is computed: at least one, each named differently. They stay the caller's.</param>
    /// <param name="systems">Whose pictures (<see cref="EvaluationFolders"/>): at least one, each named differently.</param>
    /// <param name="options">How; null is the defaults.</param>
    /// <exception cref="ArgumentException">Two metrics or systems have one name, or there is none.</exception>
    public EvaluationRun(IReadOnlyList<IPairMetric> metrics, IReadOnlyList<EvaluationSystem> systems, EvaluationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(systems);
        RequireDifferent([.. metrics.Select(m => m.Name)], "metrics", nameof(metrics));
        RequireDifferent([.. systems.Select(s => s.Name)], "systems", nameof(systems));
        (_metrics, _systems, _options) = (metrics, systems, options ?? new EvaluationOptions());
    }

    /// <summary>Told after each batch, from any thread.</summary>
    public IProgress<EvaluationProgress>? Progress { get; init; }

    /// <summary>Told of what was left out, in a full sentence.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Computes what is missing, and writes <see cref="ResultsFile"/>, <see cref="TableFile"/> and <see cref="ReportFile"/>.</summary>
    /// <param name="outFolder">The folder to write; one of an earlier run is gone on with.</param>
    /// <param name="cancellationToken">Stops the run; what was scored is in the folder.</param>
    /// <exception cref="PictureException">A picture cannot be read; the message names its file.</exception>
    /// <exception cref="IOException">A file cannot be read, or the folder not written, or another process measures into it.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public async Task<EvaluationResults> RunAsync(string outFolder, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(outFolder);
        using ScoreStore store = ScoreStore.Open(outFolder);
        if (store.Unreadable > 0)
        {
            Warn?.Invoke($"'{Path.Combine(outFolder, ScoreStore.FileName)}': {store.Unreadable} lines cannot be read; these scores are computed again.");
        }
        IReadOnlyList<ScoredItem> scored = await ScoreAsync(store, cancellationToken).ConfigureAwait(false);
        int without = scored.Count(i => i.Scores.Any(s => s is null));
        if (without > 0)
        {
            Warn?.Invoke($"{without} of {scored.Count} pictures lack a score, since they have no prompt or a metric came to none.");
        }
        EvaluationResults results = Results(scored);
        WriteText(Path.Combine(outFolder, ResultsFile), results.ToJson());
        WriteTable(Path.Combine(outFolder, TableFile), scored);
        WriteText(Path.Combine(outFolder, ReportFile), new EvaluationReport(results, _metrics, scored, _options.Examples).Html());
        return results;
    }

    private async Task<IReadOnlyList<ScoredItem>> ScoreAsync(ScoreStore store, CancellationToken cancel)
    {
        Dictionary<string, string> hashes = [];
        Dictionary<string, Picture> references = [];
        List<ScoredItem> scored = [];
        int all = _systems.Sum(s => s.Items.Count);
        foreach (EvaluationSystem system in _systems)
        {
            // By subject, so that pictures of one reference come together.
            foreach (EvaluationItem[] batch in system.Items.OrderBy(i => i.Subject, StringComparer.Ordinal).ThenBy(i => i.Key, StringComparer.Ordinal)
                .Chunk(_options.BatchSize))
            {
                string?[][] ids = [.. batch.Select(item => _metrics.Select(m => Id(m, item)).ToArray())];
                await ComputeAsync(store, batch, ids, references, cancel).ConfigureAwait(false);
                scored.AddRange(batch.Zip(ids, (item, own) =>
                {
                    StoredScore?[] stored = [.. own.Select(id => id is null ? null : store.Get(id))];
                    return new ScoredItem(system.Name, item, [.. stored.Select(s => s?.Score)], [.. stored.Select(s => s?.Answers)]);
                }));
                Progress?.Report(new EvaluationProgress(scored.Count, all));
            }
        }
        return scored;

        // Null: the metric needs a prompt, and there is none.
        string? Id(IPairMetric metric, EvaluationItem item) => metric.NeedsPrompt && item.Prompt is null
            ? null
            : ScoreStore.IdOf(metric, item, Hash);

        string Hash(string file)
        {
            if (!hashes.TryGetValue(file, out string? hash))
            {
                hashes.Add(file, hash = FileHash.Of(file, cancel).Sha256);
            }
            return hash;
        }
    }

    private async Task ComputeAsync(
        ScoreStore store, EvaluationItem[] batch, string?[][] ids, Dictionary<string, Picture> references, CancellationToken cancel)
    {
        MetricItem?[] opened = new MetricItem?[batch.Length];
        for (int m = 0; m < _metrics.Count; m++)
        {
            int[] missing = [.. Enumerable.Range(0, batch.Length).Where(i => ids[i][m] is { } id && !store.Has(id))];
            if (missing.Length == 0)
            {
                continue;
            }
            MetricItem[] items = [.. missing.Select(i => opened[i] ??= Open(batch[i]))];
            StoredScore?[] scores = await ComputeAsync(_metrics[m], items, cancel).ConfigureAwait(false);
            Check(_metrics[m], scores, items.Length);
            store.Add(missing.Zip(scores, (i, score) => (ids[i][m]!, _metrics[m].Name, score)));
        }

        MetricItem Open(EvaluationItem item)
        {
            if (!references.TryGetValue(item.ReferenceFile, out Picture? reference))
            {
                if (references.Count == MostReferences)
                {
                    references.Clear();
                }
                references.Add(item.ReferenceFile, reference = Picture.Load(item.ReferenceFile, Transparency.Dropped));
            }
            return new MetricItem(item.Subject, item.Category, item.Key, reference, Load(item.GeneratedFile), item.Prompt)
            {
                FurtherReferences = [.. item.FurtherReferenceFiles.Select(file => new Func<Picture>(() => Load(file)))],
                Truth = item.TruthFile is { } truth ? () => Load(truth) : null,
            };
        }

        static Picture Load(string file) => Picture.Load(file, Transparency.Dropped);
    }

    // What a judge answered is kept beside the mean: the tables of benchmarks and agreement go by single answers.
    private static async Task<StoredScore?[]> ComputeAsync(IPairMetric metric, MetricItem[] items, CancellationToken cancel)
    {
        if (metric is JudgedMetric judged)
        {
            IReadOnlyList<IReadOnlyList<int?>> answers = await judged.AskAsync(items, cancel).ConfigureAwait(false);
            return [.. answers.Select(own => judged.ScoreOf(own) is { } mean ? new StoredScore(mean, own) : null)];
        }
        IReadOnlyList<double?> scores = await metric.ComputeAsync(items, cancel).ConfigureAwait(false);
        return [.. scores.Select(s => s is { } score ? new StoredScore(score) : null)];
    }

    private static void Check(IPairMetric metric, StoredScore?[] scores, int count)
    {
        if (scores.Length != count || scores.Any(s => s is { Score: var score } && !(score >= metric.Least && score <= metric.Most)))
        {
            throw new InvalidOperationException(
                $"Metric '{metric.Name}': expected {count} scores of {metric.Least} to {metric.Most}, found {scores.Length}, "
                    + $"such as {string.Join(", ", scores.Take(4).Select(s => s?.Score))}.");
        }
    }

    private EvaluationResults Results(IReadOnlyList<ScoredItem> scored) => new(
    [
        .. _metrics.Select((metric, m) => new MetricResult(
            metric.Name, metric.Source, metric.Least, metric.Most,
            [.. _systems.Select(s => Score(s.Name, [.. scored.Where(i => i.System == s.Name)], m))],
            [.. _systems.Skip(1).Select(s => Difference(s.Name, _systems[0].Name, scored, m))])),
    ])
    {
        Benchmarks = Benchmarks(scored),
        Agreement = Agreements(scored),
    };

    private IReadOnlyList<BenchmarkResult> Benchmarks(IReadOnlyList<ScoredItem> scored)
    {
        List<BenchmarkResult> tables = [];
        foreach (EvaluationSystem system in _systems)
        {
            if (system.Benchmark is { } benchmark)
            {
                tables.AddRange(Judged(scored.Where(i => i.System == system.Name), item => item.Item.Key).GroupBy(s => s.Judge)
                    .Select(judge => new BenchmarkResult(benchmark.Name, system.Name, judge.Key, benchmark.Figures([.. judge])))
                    .Where(table => table.Figures.Count > 0));
            }
        }
        return tables;
    }

    private IReadOnlyList<JudgeAgreement> Agreements(IReadOnlyList<ScoredItem> scored)
    {
        List<JudgeAgreement> agreements = [];
        foreach (IGrouping<string, JudgedScore> question in Judged(scored, item => $"{item.System}/{item.Item.Key}").GroupBy(s => s.Metric))
        {
            string[] judges = [.. question.Where(s => s.Score is not null).Select(s => s.Judge).Distinct()];
            for (int first = 0; first < judges.Length; first++)
            {
                agreements.AddRange(judges.Skip(first + 1).Select(second => JudgeAgreement.Of(question, question.Key, judges[first], second)));
            }
        }
        return agreements;
    }

    /// <summary>All answers of judges, metric by metric.</summary>
    private IEnumerable<JudgedScore> Judged(IEnumerable<ScoredItem> scored, Func<ScoredItem, string> name) =>
        _metrics.SelectMany((metric, m) => metric is JudgedMetric judged ? scored.SelectMany(item => judged.Scores(name(item), item.Answers[m])) : []);

    private static SystemScore Score(string system, IReadOnlyList<ScoredItem> own, int metric) => new(
        system,
        Summary(own, metric),
        own.Where(i => i.Item.Category is not null).GroupBy(i => i.Item.Category!).OrderBy(g => g.Key, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => Summary([.. g], metric)));

    private static ScoreSummary Summary(IReadOnlyList<ScoredItem> items, int metric) =>
        ScoreSummary.Of([.. items.Select(i => (i.Item.Subject, i.Scores[metric]))]);

    private static SystemDifference Difference(string system, string against, IReadOnlyList<ScoredItem> scored, int metric)
    {
        Dictionary<string, double?> other = scored.Where(i => i.System == against).ToDictionary(i => i.Item.Key, i => i.Scores[metric]);
        (string, double?)[] differences = [.. scored.Where(i => i.System == system && other.ContainsKey(i.Item.Key))
            .Select(i => (i.Item.Subject, i.Scores[metric] - other[i.Item.Key]))];
        return new SystemDifference(system, against, ScoreSummary.Of(differences));
    }

    private void WriteTable(string path, IReadOnlyList<ScoredItem> scored)
    {
        (ScoredItem Item, int Metric)[] rows = [.. scored.SelectMany(i => Enumerable.Range(0, _metrics.Count).Select(m => (i, m)))];
        TableColumn Texts(string name, Func<(ScoredItem Item, int Metric), string?> value) => TableColumn.Texts(name, [.. rows.Select(value)]);
        ParquetTable.Write(
            path,
            Texts("system", r => r.Item.System),
            Texts("category", r => r.Item.Item.Category),
            Texts("subject", r => r.Item.Item.Subject),
            Texts("picture", r => r.Item.Item.Key),
            Texts("prompt", r => r.Item.Item.Prompt),
            Texts("metric", r => _metrics[r.Metric].Name),
            TableColumn.Numbers("score", [.. rows.Select(r => r.Item.Scores[r.Metric])]));
    }

    private static void WriteText(string path, string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    private static void RequireDifferent(IReadOnlyList<string> names, string what, string parameter)
    {
        if (names.Count == 0 || names.Distinct(StringComparer.Ordinal).Count() != names.Count)
        {
            string found = names.Count == 0 ? "none" : string.Join(", ", names);
            throw new ArgumentException($"A run has at least one of its {what}, each named differently, but found {found}.", parameter);
        }
    }
}
