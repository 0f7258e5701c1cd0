using Dsd.Models.Text;
using Dsd.Models.Weights;

namespace Dsd.Tools.Doctor;

/// <summary>
/// Whether tokenizers give the ids that the text encoders were trained with. The published ones are known by their number of tokens, and must give known ids;
/// others must suit their encoder.
/// </summary>
/// <remarks>
/// Ids of CLIP's tokenizer: test/bumblebee/text/clip_tokenizer_test.exs of elixir-nx/bumblebee, for openai/clip-vit-base-patch32, whose tokenizer all of
/// OpenAI's CLIP models share. Ids of T5's: tests/models/t5/test_tokenization_t5.py of huggingface/transformers (046eae0), for google-t5/t5-base, whose
/// vocabulary T5 1.1 has too.
/// </remarks>
internal static class TokenizerChecks
{
    private const int PublishedClip = 49408;
    private const int PublishedT5 = 32100;

    // An encoder's table is made longer than its tokenizer, to a multiple of this.
    private const int Rounding = 128;

    // What CLIP's published configs say, of an older vocabulary: the largest id is the end then.
    private const int LegacyEnd = 2;

    private const string Advice = "The folder's tokenizer is another model's, or damaged: fetch its subfolder again from where the model was published.";

    private static readonly (string Prompt, long[] Ids)[] KnownClip =
    [
        ("a photo of a cat", [49406, 320, 1125, 539, 320, 2368, 49407]),
        ("a photo of a dog", [49406, 320, 1125, 539, 320, 1929, 49407]),
    ];

    private static readonly (string Prompt, long[] Ids)[] KnownT5 =
    [
        ("A long paragraph for summarization.", [71, 307, 8986, 21, 4505, 1635, 1707, 5, 1]),
        ("Summary of the text.", [20698, 13, 8, 1499, 5, 1]),
    ];

    /// <summary>The checks of both tokenizers.</summary>
    public static IEnumerable<Finding> Of(string folder)
    {
        yield return Guarded("tokenizer", name =>
        {
            ClipTokenizer tokenizer = ClipTokenizer.Load(Path.Combine(folder, "tokenizer"));
            ClipTextConfig encoder = ModelFolder.ReadConfigFile<ClipTextConfig>(Path.Combine(folder, "text_encoder", "config.json"));
            return tokenizer.VocabularySize == PublishedClip
                ? Known(name, "CLIP", tokenizer, KnownClip)
                : encoder.EosTokenId != LegacyEnd && encoder.EosTokenId != tokenizer.EndOfText
                    ? new Finding(
                        name, Finding.Failed,
                        $"a text ends with id {tokenizer.EndOfText}, the text encoder expects {encoder.EosTokenId} (eos_token_id)", Advice)
                    : Other(name, "CLIP", tokenizer, encoder.VocabSize);
        });
        yield return Guarded("tokenizer_2", name =>
        {
            T5Tokenizer tokenizer = T5Tokenizer.Load(Path.Combine(folder, "tokenizer_2"));
            T5Config encoder = ModelFolder.ReadConfigFile<T5Config>(Path.Combine(folder, "text_encoder_2", "config.json"));
            return tokenizer.VocabularySize == PublishedT5
                ? Known(name, "T5", tokenizer, KnownT5)
                : Other(name, "T5", tokenizer, encoder.VocabSize);
        });
    }

    /// <summary>A tokenizer that has as many tokens as the published one.</summary>
    internal static Finding Known(string name, string whose, ITextTokenizer tokenizer, IEnumerable<(string Prompt, long[] Ids)> known)
    {
        foreach ((string prompt, long[] ids) in known)
        {
            long[] found = tokenizer.Encode(prompt, Math.Min(tokenizer.MaxLength, 77), out _)[..ids.Length];
            if (!found.SequenceEqual(ids))
            {
                return new Finding(
                    name, Finding.Failed, $"\"{prompt}\" gives {string.Join(' ', found)}, {whose}'s published tokenizer {string.Join(' ', ids)}", Advice);
            }
        }
        return Finding.Well(name, $"{whose}'s published tokenizer: {tokenizer.VocabularySize} tokens, known prompts give their ids");
    }

    private static Finding Other(string name, string whose, ITextTokenizer tokenizer, int rows)
    {
        int tokens = tokenizer.VocabularySize;
        return tokens > rows || rows - tokens >= Rounding
            ? new Finding(name, Finding.Failed, $"{tokens} tokens, but the text encoder has {rows} (vocab_size)", Advice)
            : Finding.Well(name, $"another tokenizer than {whose}'s published one: {tokens} tokens, which suit the text encoder's {rows}; no ids are known");
    }

    private static Finding Guarded(string name, Func<string, Finding> check)
    {
        try
        {
            return check(name);
        }
        catch (Exception e) when (Finding.IsFault(e))
        {
            return new Finding(name, Finding.Failed, ErrorText.OneLine(e), Advice);
        }
    }
}
