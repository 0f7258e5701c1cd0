using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Metrics;

namespace Dsd.Evaluation.Running;

/// <summary>
/// The scores of a run in a file that only grows, a line each. A score is found by what it was computed from, so that none is used for pictures, prompts or
/// encoders that have changed since.
/// </summary>
internal sealed class ScoreStore : IDisposable
{
    public const string FileName = "scores.jsonl";
    private const int MostLine = 2000;

    private static readonly JsonSerializerOptions Json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly Dictionary<string, StoredScore> _scores = [];
    private readonly FileStream _file;

    private ScoreStore(FileStream file) => _file = file;

    /// <summary>Lines that could not be read: the end of a run that was cut off, or what somebody changed.</summary>
    public int Unreadable { get; private set; }

    /// <exception cref="IOException">Another process measures into the folder, or it cannot be written.</exception>
    public static ScoreStore Open(string folder)
    {
        string path = Path.Combine(folder, FileName);
        FileStream file;
        try
        {
            Directory.CreateDirectory(folder);
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"Cannot write '{path}': {e.Message.TrimEnd('.')}. If another process measures into this folder, wait for it or take another.", e);
        }
        ScoreStore store = new(file);
        try
        {
            store.Read();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>What a score is found by.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="item">The picture.</param>
    /// <param name="hash">The SHA-256 of a file.</param>
    public static string IdOf(IPairMetric metric, EvaluationItem item, Func<string, string> hash)
    {
        StringBuilder content = new();
        content.Append($"{metric.Fingerprint}\n{hash(item.ReferenceFile)}\n{hash(item.GeneratedFile)}\n{(metric.NeedsPrompt ? item.Prompt : "")}");
        if (metric is JudgedMetric)
        {
            // What a judge is asked depends on the kind of picture, and some are shown more than two.
            content.Append($"\n{item.Category}\n{string.Join(' ', item.FurtherReferenceFiles.Select(hash))}");
            content.Append($"\n{(item.TruthFile is { } truth ? hash(truth) : "")}");
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content.ToString())));
    }

    /// <summary>Whether a score was computed before.</summary>
    public bool Has(string id) => _scores.ContainsKey(id);

    /// <summary>A score that was computed; null where the metric came to none.</summary>
    public StoredScore? Get(string id) => _scores.GetValueOrDefault(id);

    /// <summary>Adds scores; they are on disk when this returns. What came to none is not kept: a judge may answer the next time.</summary>
    public void Add(IEnumerable<(string Id, string Metric, StoredScore? Score)> scores)
    {
        foreach ((string id, string metric, StoredScore? score) in scores)
        {
            if (score is not null && _scores.TryAdd(id, score))
            {
                _file.Write([.. JsonSerializer.SerializeToUtf8Bytes(new Line(id, metric, score.Score, score.Answers), Json), (byte)'\n']);
            }
        }
        _file.Flush(flushToDisk: true);
    }

    public void Dispose() => _file.Dispose();

    private void Read()
    {
        using StreamReader reader = new(_file, Encoding.UTF8, leaveOpen: true);
        while (reader.ReadLine() is { } text)
        {
            try
            {
                Line? line = text.Length <= MostLine ? JsonSerializer.Deserialize<Line>(text) : null;
                if (line is { Id.Length: 64, Score: >= -1e9 and <= 1e9 })
                {
                    _scores[line.Id] = new StoredScore(line.Score, line.Answers);
                    continue;
                }
            }
            catch (JsonException)
            {
                // Counted below.
            }
            Unreadable++;
        }
        if (_file.Length > 0)
        {
            _file.Position = _file.Length - 1;
            bool whole = _file.ReadByte() == '\n';
            _file.Position = _file.Length;
            if (!whole)
            {
                // A line that was cut off stands alone, and does not spoil the next.
                _file.WriteByte((byte)'\n');
            }
        }
    }

    private sealed record Line(string Id, string Metric, double Score, IReadOnlyList<int?>? Answers = null);
}

/// <summary>A score as it is kept.</summary>
/// <param name="Score">The score.</param>
/// <param name="Answers">What a judge gave in its repeats; null for a metric that asks none.</param>
internal sealed record StoredScore(double Score, IReadOnlyList<int?>? Answers = null);
