using System.Diagnostics;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Metrics;
using Dsd.Imaging;

namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>ViStoryBench's style similarity, CSD self and cross (<c>vistorybench/bench/style/csd_evaluator.py</c> at 514cc31).</summary>
public static class StoryStyleMeasure
{
    /// <summary>Measures one story.</summary>
    /// <param name="csd">The CSD encoder.</param>
    /// <param name="story">The story.</param>
    /// <param name="shots">Its pictures' files, by the shot's index.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException">The encoder is another than CSD.</exception>
    /// <exception cref="PictureException">A file is no picture.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static StoryStyle Measure(PictureEncoder csd, Story story, IReadOnlyDictionary<int, string> shots, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(csd);
        ArgumentNullException.ThrowIfNull(story);
        ArgumentNullException.ThrowIfNull(shots);
        if (csd.Folder.Kind != EncoderKind.Csd)
        {
            throw new ArgumentException($"The encoder '{csd.Folder.Path}' is {csd.Folder.Kind}, but style is measured with {EncoderKind.Csd}.", nameof(csd));
        }
        Dictionary<string, float[]> embeddings = new(StringComparer.Ordinal);
        foreach (string[] files in StoryStyle.FilesOf(story, shots).Chunk(16))
        {
            Picture[] pictures = [.. files.Select(file => Picture.Load(file, Transparency.Dropped))];
            foreach ((string file, float[] embedding) in files.Zip(csd.Encode(pictures, files.Length, cancellationToken)))
            {
                embeddings[file] = embedding;
            }
        }
        return StoryStyle.Of(story, shots, (a, b) => Similarity.Cosine(embeddings[a], embeddings[b]));
    }

    /// <summary>
    /// Measures a run and writes its results as the benchmark does: <c>metrics/csd/items.jsonl</c>, <c>story_results.json</c> and <c>scores.json</c> below
    /// <c>RESULTS/METHOD/MODE/LANGUAGE/TIMESTAMP</c>. Stories whose results are there are not measured again.
    /// </summary>
    /// <param name="csd">The CSD encoder.</param>
    /// <param name="stories">The benchmark's stories.</param>
    /// <param name="outputs">The run's pictures.</param>
    /// <param name="run">What the run is called.</param>
    /// <param name="results">The root of results.</param>
    /// <param name="ids">Which stories, such as <see cref="StoryFolder.Lite"/>; null for all.</param>
    /// <param name="progress">Is given each story's id when its result is written.</param>
    /// <param name="cancellationToken">Stops the work between stories and pictures; what was written stays.</param>
    /// <exception cref="InvalidDataException">A story or a result that is there cannot be read, or none of the stories has a picture.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static StoryStyleScores Measure(
        PictureEncoder csd,
        StoryFolder stories,
        StoryOutputs outputs,
        StoryRun run,
        string results,
        IReadOnlyList<string>? ids = null,
        IProgress<string>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stories);
        ArgumentNullException.ThrowIfNull(outputs);
        ArgumentNullException.ThrowIfNull(run);
        ArgumentException.ThrowIfNullOrEmpty(results);
        StoryStyleFiles files = StoryStyleFiles.Open(run, results);
        List<string> missing = [];
        foreach (string id in ids ?? stories.Ids)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!outputs.Stories.TryGetValue(id, out IReadOnlyDictionary<int, string>? shots))
            {
                missing.Add(id);
            }
            else if (!files.Has(id))
            {
                long start = Stopwatch.GetTimestamp();
                files.Add(id, Measure(csd, stories.Load(id, run.Language), shots, cancellationToken), Stopwatch.GetElapsedTime(start));
                progress?.Report(id);
            }
        }
        return files.Finish(missing);
    }
}
