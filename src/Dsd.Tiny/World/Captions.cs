using Dsd.Curation.Grids;

namespace Dsd.Tiny.World;

/// <summary>
/// Text for pictures: captions of single pictures, prompts for grids of one subject, and the prompts that ask for a known subject in a new context.
/// </summary>
/// <remarks>
/// All text is lower-case ASCII of few distinct words. The same arguments always give the same text. No text is longer than <see cref="MaxTokens"/> tokens,
/// counting each word and each punctuation mark as one and the end as one, which is how the embedded model's T5-style tokenizer counts.
/// </remarks>
public static class Captions
{
    /// <summary>The most tokens that a text has, its end included.</summary>
    public const int MaxTokens = 64;

    private const int AllSubject = 0x1FF;
    private const int SceneAndPose = 0b00011;
    private const int LightOnly = 0b10000;

    private static readonly string[] Singles = ["{0} {1}", "a picture of {0} {1}", "a drawing of {0} {1}", "{0}, {1}", "an image of {0} {1}",
        "here is {0} {1}"];
    private static readonly string[] Edits =
        ["this {0} {1}", "the same {0} {1}", "the {0} {1}", "show this {0} {1}", "this {0}, now {1}", "the {0} from the picture, {1}",
            "a new picture of this {0} {1}", "draw the same {0} {1}"];

    private static readonly string[] Pairs =
    [
        "a grid of two pictures of the same {0}. {1}", "two panels showing the same {0}. {1}", "a sheet with two pictures of one {0}. {1}",
        "the same {0} in two pictures. {1}", "two scenes with the same {0}, identical in both. {1}", "a 1 by 2 grid of 2 pictures of the same {0}. {1}",
    ];

    private static readonly string[] Quads =
    [
        "a grid of four pictures of the same {0}. {1}", "four panels showing the same {0}. {1}", "a sheet with four pictures of one {0}. {1}",
        "the same {0} in four pictures. {1}", "four scenes with the same {0}. {1}", "a 2 by 2 grid of 4 pictures of the same {0}. {1}",
    ];

    private static readonly string[] RelightPairs =
    [
        "a grid of two pictures of the same {0} {1} in two lights. {2}", "the same picture of one {0} {1} twice, only the light changes. {2}",
        "two panels showing the same {0} {1} under different light. {2}", "the same scene twice with one {0} {1}. {2}",
    ];

    private static readonly string[][] PairLabels = [["left: ", "right: "], ["first: ", "second: "], ["panel one: ", "panel two: "]];
    private static readonly string[][] QuadLabels = [["top left: ", "top right: ", "bottom left: ", "bottom right: "],
        ["first: ", "second: ", "third: ", "fourth: "]];

    private static readonly string[] Relights = ["the same picture {0}", "this {1} in the same place {0}", "relight the picture: {0}",
        "the same scene and pose {0}", "change the light: this {1} {0}"];

    /// <summary>A caption of one picture that mentions some attributes of the subject and most of the context.</summary>
    /// <param name="subject">Who is seen.</param>
    /// <param name="context">Where and how.</param>
    /// <param name="seed">Decides what is mentioned and in which words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    public static Caption Single(Subject subject, Context context, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        Wording wording = new(seed, style);
        return Compose(wording, subject, context, wording.SubjectMask(subject, 1), wording.ContextMask(0.92, 0.35));
    }

    /// <summary>A caption of one picture that mentions every attribute of the subject: what text alone can say about it.</summary>
    /// <param name="subject">Who is seen.</param>
    /// <param name="context">Where and how.</param>
    /// <param name="seed">Decides what is mentioned of the context, and the words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    public static Caption Full(Subject subject, Context context, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        Wording wording = new(seed, style);
        return Compose(wording, subject, context, AllSubject, wording.ContextMask(0.92, 0.35));
    }

    /// <summary>A description of the whole subject without an article or a context: the seed caption of a run.</summary>
    /// <param name="subject">Who is meant.</param>
    /// <param name="seed">Decides the words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    public static string Whole(Subject subject, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return new Wording(seed, style).Subject(subject, AllSubject);
    }

    /// <summary>A caption of one picture that states exactly the given attributes.</summary>
    /// <param name="subject">Who is seen.</param>
    /// <param name="subjectMask">Bit i for attribute i of <see cref="Subject.Kinds"/>.</param>
    /// <param name="context">Where and how.</param>
    /// <param name="contextMask">Bit i for attribute i of <see cref="Context.Kinds"/>.</param>
    /// <param name="seed">Decides the words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    public static Caption Stating(Subject subject, int subjectMask, Context context, int contextMask, ulong seed, PromptStyle style = PromptStyle.Varied) =>
        Compose(new Wording(seed, style), subject, context, subjectMask, contextMask);

    /// <summary>A caption of one picture in templates of the caller's, which say who is seen. It states exactly the given attributes of the context.</summary>
    /// <param name="templates">Texts in which <c>{0}</c> stands for the context.</param>
    /// <param name="context">Where and how.</param>
    /// <param name="contextMask">Bit i for attribute i of <see cref="Context.Kinds"/>.</param>
    /// <param name="seed">Decides the template and the words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    public static Caption FromTemplates(IReadOnlyList<string> templates, Context context, int contextMask, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        ArgumentNullException.ThrowIfNull(templates);
        ArgumentNullException.ThrowIfNull(context);
        Wording wording = new(seed, style);
        string text = wording.Pick(templates).Replace("{0}", wording.Context(context, contextMask), StringComparison.Ordinal);
        return new Caption(text, 0, [contextMask]);
    }

    /// <summary>A prompt that asks for a subject known from a reference picture in the given context: 'this creature jumping in the snow at night'.</summary>
    /// <param name="context">What is asked for. Scene and pose are always stated.</param>
    /// <param name="seed">Decides what else is stated and in which words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    public static Caption Edit(Context context, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        ArgumentNullException.ThrowIfNull(context);
        Wording wording = new(seed, style);
        return Edit(wording, context, wording.ContextMask(0.9, 0.4) | SceneAndPose);
    }

    /// <summary>A prompt that asks for a subject known from a reference picture, and states exactly the given attributes of the context.</summary>
    /// <param name="context">What is asked for.</param>
    /// <param name="contextMask">Bit i for attribute i of <see cref="Context.Kinds"/>; at least one.</param>
    /// <param name="seed">Decides the words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    public static Caption EditStating(Context context, int contextMask, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfZero(contextMask);
        return Edit(new Wording(seed, style), context, contextMask);
    }

    /// <summary>A prompt that asks for the reference picture itself under another light.</summary>
    /// <param name="light">The light that is asked for.</param>
    /// <param name="seed">Decides the words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    public static Caption Relight(Light light, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        Wording wording = new(seed, style);
        string text = Fill(wording.Pick(Relights), wording.Pick(CaptionVocabulary.Lights[(int)light]), wording.Noun());
        return new Caption(text, 0, [LightOnly]);
    }

    /// <summary>A prompt for a grid: a description of its subject, and of every panel's context.</summary>
    /// <param name="grid">What the prompt claims; also where panels do not keep the subject, the prompt speaks of <see cref="WorldGrid.Subject"/> only.</param>
    /// <param name="seed">Decides what is mentioned and in which words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    /// <param name="wholeSubject">True to mention every attribute of the subject while there is room.</param>
    public static Caption Grid(WorldGrid grid, ulong seed, PromptStyle style = PromptStyle.Varied, bool wholeSubject = false)
    {
        ArgumentNullException.ThrowIfNull(grid);
        return Grid(grid.Subject, [.. grid.Panels.Select(panel => panel.Context)], seed, style, wholeSubject);
    }

    /// <summary>A prompt for a grid of one subject in the given contexts.</summary>
    /// <param name="subject">Who is asked for.</param>
    /// <param name="contexts">Two contexts for a pair, four for a quad, row by row.</param>
    /// <param name="seed">Decides what is mentioned and in which words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    /// <param name="wholeSubject">True to mention every attribute of the subject while there is room.</param>
    /// <exception cref="ArgumentException">There are neither two nor four contexts.</exception>
    public static Caption Grid(Subject subject, IReadOnlyList<Context> contexts, ulong seed, PromptStyle style = PromptStyle.Varied, bool wholeSubject = false)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return Grid(subject, contexts, seed, style, (wording, richness) => GridSubjectMask(wording, subject, richness, wholeSubject));
    }

    /// <summary>A prompt for a grid that states exactly the given attributes of its subject: with none, 'the same creature in two pictures. left: …'.</summary>
    /// <param name="subject">Who is asked for.</param>
    /// <param name="subjectMask">Bit i for attribute i of <see cref="Subject.Kinds"/>; 0 names nobody.</param>
    /// <param name="contexts">Two contexts for a pair, four for a quad, row by row.</param>
    /// <param name="seed">Decides what is mentioned of the contexts, and the words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    /// <exception cref="ArgumentException">There are neither two nor four contexts.</exception>
    public static Caption GridStating(
        Subject subject, int subjectMask, IReadOnlyList<Context> contexts, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return Grid(subject, contexts, seed, style, (_, _) => subjectMask);
    }

    /// <summary>A prompt for a pair grid that shows one picture under two lights.</summary>
    /// <param name="subject">Who is asked for.</param>
    /// <param name="context">Where and how, the same in both panels; its own light is not spoken of.</param>
    /// <param name="left">The left panel's light.</param>
    /// <param name="right">The right panel's light.</param>
    /// <param name="seed">Decides what is mentioned and in which words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    /// <param name="wholeSubject">True to mention every attribute of the subject while there is room.</param>
    public static Caption RelightGrid(
        Subject subject, Context context, Light left, Light right, ulong seed, PromptStyle style = PromptStyle.Varied, bool wholeSubject = false)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return RelightGrid(
            subject, context, left, right, new Wording(seed, style), (wording, richness) => GridSubjectMask(wording, subject, richness, wholeSubject));
    }

    /// <summary>A prompt for a pair grid that shows one picture under two lights, which states exactly the given attributes of its subject.</summary>
    /// <param name="subject">Who is asked for.</param>
    /// <param name="subjectMask">Bit i for attribute i of <see cref="Subject.Kinds"/>; 0 names nobody.</param>
    /// <param name="context">Where and how, the same in both panels; its own light is not spoken of.</param>
    /// <param name="left">The left panel's light.</param>
    /// <param name="right">The right panel's light.</param>
    /// <param name="seed">Decides what is mentioned of the context, and the words.</param>
    /// <param name="style">How freely the words are chosen.</param>
    public static Caption RelightGridStating(
        Subject subject, int subjectMask, Context context, Light left, Light right, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return RelightGrid(subject, context, left, right, new Wording(seed, style), (_, _) => subjectMask);
    }

    /// <summary>How many tokens the embedded model's T5-style tokenizer makes of a text from here: words, punctuation marks and the end.</summary>
    public static int CountTokens(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split(' ').Length + text.Count(character => character is '.' or ',' or ':') + 1;
    }

    /// <summary>An endless mixture of all kinds of captions and prompts, from which tokenizers are made.</summary>
    /// <param name="seed">Fixes the sequence.</param>
    public static IEnumerable<string> Corpus(ulong seed)
    {
        WorldRandom random = new(seed);
        while (true)
        {
            Subject subject = WorldSampler.SampleSubject(random);
            Context context = WorldSampler.SampleContext(random);
            yield return Single(subject, context, random.NextBits()).Text;
            yield return Full(subject, context, random.NextBits()).Text;
            yield return Edit(context, random.NextBits()).Text;
            yield return Relight(context.Light, random.NextBits()).Text;
            yield return RelightGrid(subject, context, context.Light, WorldSampler.OtherLight(context.Light, random), random.NextBits()).Text;
            yield return Grid(WorldSampler.SampleGrid(random, GridLayout.OneByTwo), random.NextBits()).Text;
            yield return Grid(WorldSampler.SampleGrid(random, GridLayout.TwoByTwo), random.NextBits()).Text;
        }
    }

    private static Caption Grid(
        Subject subject, IReadOnlyList<Context> contexts, ulong seed, PromptStyle style, Func<Wording, double, int> subjectMaskOf)
    {
        ArgumentNullException.ThrowIfNull(contexts);
        if (contexts.Count is not (2 or 4))
        {
            throw new ArgumentException($"A grid has two or four panels, but {contexts.Count} contexts were given.", nameof(contexts));
        }
        bool quad = contexts.Count == 4;
        Wording wording = new(seed, style);
        // Long prompts are drawn again with less and less in them; the barest always fits.
        for (double richness = quad ? 0.7 : 1; ; richness *= 0.8)
        {
            int subjectMask = subjectMaskOf(wording, richness);
            string template = wording.Pick(quad ? Quads : Pairs);
            string[] labels = wording.Pick(quad ? QuadLabels : PairLabels);
            double rest = quad ? 0.1 * richness : 0.25 * richness;
            int[] masks = [.. contexts.Select(_ => wording.ContextMask(0.9 * richness, rest) | 1 | (richness > 0.3 ? 2 : 0))];
            string panels = string.Join(' ', contexts.Select((context, i) => labels[i] + wording.Context(context, masks[i]) + "."));
            string text = Fill(template, wording.Subject(subject, subjectMask), panels);
            if (CountTokens(text) <= MaxTokens)
            {
                return new Caption(text, subjectMask, masks);
            }
        }
    }

    private static Caption RelightGrid(
        Subject subject, Context context, Light left, Light right, Wording wording, Func<Wording, double, int> subjectMaskOf)
    {
        ArgumentNullException.ThrowIfNull(context);
        for (double richness = 1; ; richness *= 0.8)
        {
            int subjectMask = subjectMaskOf(wording, richness);
            int contextMask = (wording.ContextMask(0.9 * richness, 0.3 * richness) | SceneAndPose) & ~LightOnly;
            string[] labels = wording.Pick(PairLabels);
            string panels = string.Join(' ', new[] { left, right }.Select((light, i) => labels[i] + wording.Pick(CaptionVocabulary.Lights[(int)light]) + "."));
            string text = Fill(wording.Pick(RelightPairs), wording.Subject(subject, subjectMask), wording.Context(context, contextMask))
                .Replace("{2}", panels, StringComparison.Ordinal);
            if (CountTokens(text) <= MaxTokens)
            {
                return new Caption(text, subjectMask, [contextMask | LightOnly, contextMask | LightOnly]);
            }
        }
    }

    // Richness falls as long as a text is too long: what is said of the contexts goes first.
    private static int GridSubjectMask(Wording wording, Subject subject, double richness, bool whole) =>
        whole && richness > 0.4 ? AllSubject : wording.SubjectMask(subject, richness);

    private static Caption Edit(Wording wording, Context context, int mask) =>
        new(Fill(wording.Pick(Edits), wording.Noun(), wording.Context(context, mask)), 0, [mask]);

    private static Caption Compose(Wording wording, Subject subject, Context context, int subjectMask, int contextMask)
    {
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentNullException.ThrowIfNull(context);
        string who = Wording.WithArticle(wording.Subject(subject, subjectMask));
        string where = wording.Context(context, contextMask);
        string text = where.Length == 0 ? who : Fill(wording.Pick(Singles), who, where);
        return new Caption(text, subjectMask, [contextMask]);
    }

    private static string Fill(string template, string first, string second) =>
        template.Replace("{0}", first, StringComparison.Ordinal).Replace("{1}", second, StringComparison.Ordinal);
}
