using Dsd.Curation.Grids;

namespace Dsd.Tiny.World;

/// <summary>The grid prompts of the embedded teacher: the wording that it was trained on, as templates.</summary>
public static class WorldGridTemplates
{
    // Four of these and a described subject stay within the tokens that the teacher reads.
    private const int MaxContextWords = 5;
    private const int ContextsPerScene = 24;
    private const int SceneAndPose = 0b00011;
    private const int SceneAndLight = 0b10001;

    /// <summary>Templates for 1×2 and 2×2 grids: a grid never has two panels in the same scene.</summary>
    public static GridTemplates Templates { get; } = Create();

    private static GridTemplates Create()
    {
        (string Text, string Scene)[] contexts = [.. Enum.GetValues<Scene>().SelectMany(scene => Contexts(scene).Select(text => (text, scene.ToString())))];
        return new GridTemplates
        {
            Grids =
            [
                "a grid of {count_word} pictures of the same {noun}. {panels}", "{count_word} panels showing the same {noun}. {panels}",
                "a sheet with {count_word} pictures of one {noun}. {panels}",
                "the same {noun} in {count_word} pictures. {panels}", "a {rows} by {columns} grid of {count} pictures of the same {noun}. {panels}",
            ],
            Panel = "{position}: {context}.",
            // The subject is left to the reference picture: only so does a student learn to look at it.
            Caption = "this creature {context}",
            Contexts = [.. contexts.Select(context => context.Text)],
            ContextKinds = [.. contexts.Select(context => context.Scene)],
        };
    }

    private static IEnumerable<string> Contexts(Scene scene)
    {
        WorldRandom random = new((ulong)scene);
        HashSet<string> texts = [];
        while (texts.Count < ContextsPerScene)
        {
            Context context = WorldSampler.SampleContext(random) with { Scene = scene };
            string text = new Wording(random.NextBits(), PromptStyle.Varied).Context(context, random.Chance(0.7) ? SceneAndPose : SceneAndLight);
            if (text.Split(' ').Length <= MaxContextWords)
            {
                texts.Add(text);
            }
        }
        return texts;
    }
}
