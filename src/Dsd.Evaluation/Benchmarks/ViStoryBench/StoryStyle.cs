namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>How alike the styles of a story's pictures are, by CSD: cosines from −1 to 1.</summary>
/// <param name="Self">Among the shots: the mean over all pairs of them. 0 with fewer than two, as in the original code.</param>
/// <param name="Cross">Between shots and references: the mean over <paramref name="Shots"/>. 0 where there is none.</param>
/// <param name="Shots">The shots that were compared with references.</param>
public sealed record StoryStyle(double Self, double Cross, IReadOnlyList<ShotStyle> Shots)
{
    /// <summary>The measure's definition, whatever similarity is.</summary>
    /// <param name="story">The story.</param>
    /// <param name="shots">Its pictures' files, by the shot's index.</param>
    /// <param name="similarity">The similarity of two files.</param>
    internal static StoryStyle Of(Story story, IReadOnlyDictionary<int, string> shots, Func<string, string, double> similarity)
    {
        string[] files = [.. shots.Values];
        double sum = 0;
        for (int i = 0; i < files.Length; i++)
        {
            for (int j = i + 1; j < files.Length; j++)
            {
                sum += similarity(files[i], files[j]);
            }
        }
        double self = files.Length < 2 ? 0 : sum / (files.Length * (files.Length - 1) / 2);

        List<ShotStyle> compared = [];
        foreach (StoryShot shot in story.Shots)
        {
            if (!shots.TryGetValue(shot.Index, out string? file))
            {
                continue;
            }
            // A shot without characters is compared with any character of the story.
            StoryCharacter[] references = [.. shot.Characters.Select(key => Reference(story, key)).OfType<StoryCharacter>()];
            if (references.Length == 0 && Reference(story, null) is { } any)
            {
                references = [any];
            }
            if (references.Length > 0)
            {
                CharacterStyle[] characters = [.. references.Select(c => new CharacterStyle(c.Key, c.Images[0], similarity(c.Images[0], file)))];
                compared.Add(new ShotStyle(shot.Index, characters.Average(c => c.Score), file, characters));
            }
        }
        return new StoryStyle(self, compared.Count == 0 ? 0 : compared.Average(s => s.Score), compared);
    }

    /// <summary>The files that the measure compares.</summary>
    internal static IEnumerable<string> FilesOf(Story story, IReadOnlyDictionary<int, string> shots) =>
        shots.Values.Concat(story.Characters.Where(c => c.Images.Count > 0).Select(c => c.Images[0])).Distinct(StringComparer.Ordinal);

    // The character itself; where it is unknown or has no picture, the first that has one.
    private static StoryCharacter? Reference(Story story, string? key) =>
        story.Characters.FirstOrDefault(c => c.Key == key && c.Images.Count > 0) ?? story.Characters.FirstOrDefault(c => c.Images.Count > 0);
}
