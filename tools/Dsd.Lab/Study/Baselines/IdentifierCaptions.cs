using Dsd.Tiny.World;

namespace Dsd.Lab.Study.Baselines;

/// <summary>Captions that name a subject by a rare word of no meaning, as DreamBooth does, in place of describing it.</summary>
internal static class IdentifierCaptions
{
    /// <summary>The rare word. The T5-style tokenizer spells it letter by letter, the CLIP-style one byte by byte; no caption of the world has it.</summary>
    public const string Identifier = "zwx";

    private const string Who = $"a {Identifier} creature";
    private static readonly string[] Templates = [$"{Who} {{0}}", $"a picture of {Who} {{0}}", $"a drawing of {Who} {{0}}", $"{Who}, {{0}}"];

    /// <summary>A caption of the subject in a context: 'a picture of a zwx creature jumping in the snow at night'.</summary>
    /// <param name="context">Where and how it is seen.</param>
    /// <param name="contextMask">Which attributes of <see cref="Context.Kinds"/> are stated: bit i for attribute i, at least one.</param>
    /// <param name="seed">Decides the wording.</param>
    /// <param name="style">How varied the wording is.</param>
    /// <exception cref="ArgumentOutOfRangeException">The mask states nothing, or more than there is.</exception>
    public static Caption Write(Context context, int contextMask, ulong seed, PromptStyle style = PromptStyle.Varied)
    {
        ArgumentNullException.ThrowIfNull(context);
        int all = (1 << Context.Kinds.Count) - 1;
        if (contextMask < 1 || contextMask > all)
        {
            throw new ArgumentOutOfRangeException(
                nameof(contextMask), contextMask, $"A mask of stated attributes must lie between 1 and {all}, but is {contextMask}.");
        }
        return Captions.FromTemplates(Templates, context, contextMask, seed, style);
    }
}
