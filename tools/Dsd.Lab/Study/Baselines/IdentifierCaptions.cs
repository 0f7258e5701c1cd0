using Dsd.Tiny.World;

namespace Dsd.Lab.Study.Baselines;

/// <summary>Captions that name a subject by a rare word of no meaning, as DreamBooth does, in place of describing it.</summary>
internal static class IdentifierCaptions
{
    /// <summary>The rare word. The T5-style tokenizer spells it letter by letter, the CLIP-style one byte by byte; no caption of the world has it.</summary>
    public const string Identifier = "zwx";

    private const string Nobody = "creature";

    /// <summary>A caption of the subject in a context: 'a picture of a zwx creature jumping in the snow at night'.</summary>
    /// <param name="context">Where and how it is seen.</param>
    /// <param name="contextMask">Which attributes of <see cref="Context.Kinds"/> are stated: bit i for attribute i, at least one.</param>
    /// <param name="seed">Decides the wording.</param>
    /// <param name="style">How varied the wording is.</param>
    /// <param name="described">Who is described behind the word: 'a zwx blue bear with ears'; null for nobody.</param>
    /// <param name="subjectMask">Which attributes of <see cref="Subject.Kinds"/> the description states.</param>
    /// <exception cref="ArgumentOutOfRangeException">The mask states nothing, or more than there is.</exception>
    public static Caption Write(
        Context context, int contextMask, ulong seed, PromptStyle style = PromptStyle.Varied, Subject? described = null, int subjectMask = 0)
    {
        ArgumentNullException.ThrowIfNull(context);
        int all = (1 << Context.Kinds.Count) - 1;
        if (contextMask < 1 || contextMask > all)
        {
            throw new ArgumentOutOfRangeException(
                nameof(contextMask), contextMask, $"A mask of stated attributes must lie between 1 and {all}, but is {contextMask}.");
        }
        string who = $"a {Identifier} {(described is null ? Nobody : Description(described, subjectMask, seed, style))}";
        string[] templates = [$"{who} {{0}}", $"a picture of {who} {{0}}", $"a drawing of {who} {{0}}", $"{who}, {{0}}"];
        return Captions.FromTemplates(templates, context, contextMask, seed, style) with { SubjectMask = subjectMask };
    }

    /// <summary>A caption of a case's subject, which says of it what the reference's caption says, or nothing but the word.</summary>
    public static Caption Of(StudyCase one, Context context, int contextMask, ulong seed, bool described) => described
        ? Write(context, contextMask, seed, described: one.Subject, subjectMask: one.ReferenceCaption.SubjectMask)
        : Write(context, contextMask, seed);

    // Without a context such a caption is the noun phrase alone; the word takes the place behind its article.
    private static string Description(Subject subject, int mask, ulong seed, PromptStyle style)
    {
        string phrase = Captions.Stating(subject, mask, new Context(), contextMask: 0, seed, style).Text;
        return phrase[(phrase.IndexOf(' ', StringComparison.Ordinal) + 1)..];
    }
}
