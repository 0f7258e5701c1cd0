using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Files;

namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>The result files of CSD in ViStoryBench's form (<c>vistorybench/result_management/manager.py</c>): each is written whole or not at all.</summary>
internal sealed class StoryStyleFiles
{
    private const int MostBytes = 256 * 1024 * 1024;

    private static readonly JsonSerializerOptions Pretty = new() { WriteIndented = true, IndentSize = 4, NewLine = "\n" };
    private static readonly JsonSerializerOptions Line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly StoryRun _run;
    private readonly string _folder;
    private readonly SortedDictionary<string, StoryResult> _stories;

    private StoryStyleFiles(StoryRun run, string folder, SortedDictionary<string, StoryResult> stories) => (_run, _folder, _stories) = (run, folder, stories);

    private string StoriesFile => Path.Combine(_folder, "story_results.json");

    public static StoryStyleFiles Open(StoryRun run, string results)
    {
        StoryStyleFiles files = new(run, Path.Combine(run.FolderIn(results), "metrics", "csd"), new(StringComparer.Ordinal));
        AtomicFile.RemoveHalfWritten(files._folder);
        if (!File.Exists(files.StoriesFile))
        {
            return files;
        }
        InvalidDataException Wrong(string expected, string found) =>
            new($"File '{files.StoriesFile}': expected {expected}, found {found}. Move it away to measure all stories again.");
        try
        {
            foreach ((string id, StoryResult result) in
                JsonSerializer.Deserialize<Dictionary<string, StoryResult>>(SmallFile.Utf8(files.StoriesFile, MostBytes, Wrong).Span, Pretty) ?? [])
            {
                if (result?.Status == "complete")
                {
                    files._stories[id] = result is { Metrics: not null, Shots: { } shots } && shots.All(s => s?.Characters?.All(c => c is not null) == true)
                        ? result
                        : throw Wrong("the results of stories as ViStoryBench writes them", $"a story '{id}' without 'metrics' or 'shot_details'");
                }
            }
            return files;
        }
        catch (JsonException e)
        {
            throw Wrong("the results of stories as ViStoryBench writes them", JsonFault.Of(e));
        }
    }

    public bool Has(string id) => _stories.ContainsKey(id);

    public void Add(string id, StoryStyle style, TimeSpan duration)
    {
        // The original times each shot; here a story's pictures are embedded together.
        double seconds = duration.TotalSeconds / Math.Max(1, style.Shots.Count);
        _stories[id] = new StoryResult
        {
            Run = new(_run.Method, _run.Mode, _run.Language, "ViStory", _run.Timestamp),
            Scope = new("story", id),
            Metrics = new(style.Self, style.Cross),
            Shots =
            [
                .. style.Shots.Select(s => new ShotResult(
                    s.Index, s.Score, s.Characters[0].Reference, s.Generated, seconds,
                    [.. s.Characters.Select(c => new CharacterResult(c.Character, c.Reference, c.Score))])),
            ],
        };
        Write(StoriesFile, stream => JsonSerializer.Serialize(stream, _stories, Pretty));
    }

    public StoryStyleScores Finish(IReadOnlyList<string> missing)
    {
        if (_stories.Count == 0)
        {
            throw new InvalidDataException($"Run '{_run.FolderIn("")}': expected pictures of one of the stories, found none.");
        }
        StyleMetrics mean = new(_stories.Values.Average(s => s.Metrics!.Self), _stories.Values.Average(s => s.Metrics!.Cross));
        Write(Path.Combine(_folder, "items.jsonl"), stream =>
        {
            foreach (ItemResult item in _stories.SelectMany(story => story.Value.Shots!.Select(shot => ItemResult.Of(story.Key, shot))))
            {
                JsonSerializer.Serialize(stream, item, Line);
                stream.WriteByte((byte)'\n');
            }
        });
        Write(Path.Combine(_folder, "scores.json"), stream => JsonSerializer.Serialize(stream, new DatasetResult(mean), Pretty));
        return new StoryStyleScores(mean.Self, mean.Cross, _stories.ToDictionary(s => s.Key, s => s.Value.Style, StringComparer.Ordinal), missing);
    }

    private static void Write(string file, Action<Stream> write) => AtomicFile.Write(file, write);

    private sealed record StoryResult
    {
        [JsonPropertyName("run")]
        public RunNames? Run { get; init; }

        [JsonPropertyName("metric")]
        public MetricName Metric { get; init; } = new("csd");

        [JsonPropertyName("scope")]
        public StoryScope? Scope { get; init; }

        [JsonPropertyName("status")]
        public string Status { get; init; } = "complete";

        [JsonPropertyName("metrics")]
        public StyleMetrics? Metrics { get; init; }

        [JsonPropertyName("shot_details")]
        public IReadOnlyList<ShotResult>? Shots { get; init; }

        [JsonIgnore]
        public StoryStyle Style => new(Metrics!.Self, Metrics.Cross,
        [
            .. Shots!.Select(s => new ShotStyle(
                s.Index, s.Score, s.Generated, [.. s.Characters.Select(c => new CharacterStyle(c.Character, c.Reference, c.Score))])),
        ]);
    }

    private sealed record RunNames(
        [property: JsonPropertyName("method")] string Method,
        [property: JsonPropertyName("mode")] string Mode,
        [property: JsonPropertyName("language")] string Language,
        [property: JsonPropertyName("dataset")] string Dataset,
        [property: JsonPropertyName("timestamp")] string Timestamp);

    private sealed record MetricName([property: JsonPropertyName("name")] string Name);

    private sealed record StoryScope([property: JsonPropertyName("level")] string Level, [property: JsonPropertyName("story_id")] string Story);

    private sealed record StyleMetrics([property: JsonPropertyName("self_csd")] double Self, [property: JsonPropertyName("cross_csd")] double Cross);

    private sealed record ShotResult(
        [property: JsonPropertyName("index")] int Index,
        [property: JsonPropertyName("score")] double Score,
        [property: JsonPropertyName("ref_image")] string Reference,
        [property: JsonPropertyName("gen_image")] string Generated,
        [property: JsonPropertyName("elapsed_time(seconds)")] double Seconds,
        [property: JsonPropertyName("character_scores")] IReadOnlyList<CharacterResult> Characters);

    private sealed record CharacterResult(
        [property: JsonPropertyName("character_key")] string Character,
        [property: JsonPropertyName("ref_image")] string Reference,
        [property: JsonPropertyName("score")] double Score);

    private sealed record ItemResult(
        [property: JsonPropertyName("metric")] ItemMetric Metric,
        [property: JsonPropertyName("scope")] ItemScope Scope,
        [property: JsonPropertyName("value")] double Value,
        [property: JsonPropertyName("unit")] string Unit,
        [property: JsonPropertyName("extras")] ItemPictures Extras,
        [property: JsonPropertyName("status")] string Status)
    {
        public static ItemResult Of(string story, ShotResult shot) => new(
            new("csd", "cross_csd"), new("item", story, shot.Index), shot.Score, "cosine_similarity", new(shot.Reference, shot.Generated), "complete");
    }

    private sealed record ItemMetric([property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("submetric")] string Part);

    private sealed record ItemScope(
        [property: JsonPropertyName("level")] string Level,
        [property: JsonPropertyName("story_id")] string Story,
        [property: JsonPropertyName("shot_index")] int Shot);

    private sealed record ItemPictures([property: JsonPropertyName("ref_image")] string Reference, [property: JsonPropertyName("gen_image")] string Generated);

    private sealed record DatasetResult([property: JsonPropertyName("metrics")] StyleMetrics Metrics)
    {
        [JsonPropertyName("metric"), JsonPropertyOrder(-2)]
        public MetricName Metric { get; } = new("csd");

        [JsonPropertyName("scope"), JsonPropertyOrder(-1)]
        public DatasetScope Scope { get; } = new("dataset");
    }

    private sealed record DatasetScope([property: JsonPropertyName("level")] string Level);
}
