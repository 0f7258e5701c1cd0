using System.Text;
using System.Text.Json;

namespace Dsd.Models.Text;

/// <summary>Cuts normalised text into words that begin with '▁', T5's sign of a space.</summary>
/// <param name="atWhiteSpace">Whether all white space separates words and is dropped, or blanks alone are taken for the sign, each for one.</param>
internal sealed class T5Words(bool atWhiteSpace = true)
{
    private const char Space = '▁';

    /// <summary>Reads the <c>pre_tokenizer</c> of a tokenizer.json, which must be one of those that T5's tokenizers have.</summary>
    public static T5Words Parse(TokenizerJson json)
    {
        string file = json.File;
        JsonElement[] steps = json.PreTokenizer.ValueKind == JsonValueKind.Object && TokenizerJson.Type(file, "pre_tokenizer", json.PreTokenizer) == "Sequence"
            ? [.. TokenizerJson.List(file, "pretokenizers", json.PreTokenizer)]
            : [json.PreTokenizer];
        string[] types = [.. steps.Where(s => s.ValueKind == JsonValueKind.Object).Select(s => TokenizerJson.Type(file, "pre_tokenizer", s))];
        return types is ["WhitespaceSplit", "Metaspace"] or ["Metaspace"] && IsT5s(steps[^1])
            ? new T5Words(types.Length == 2)
            : throw TokenizerJson.Unknown(
                file, "the pre_tokenizer of T5, a Metaspace of '▁' that is always put in front and split at, alone or behind a WhitespaceSplit",
                json.PreTokenizer);

        bool IsT5s(JsonElement step) => TokenizerJson.Text(file, "replacement", step) == $"{Space}" && TokenizerJson.Flag(file, "split", step, true)
            && TokenizerJson.Flag(file, "add_prefix_space", step, true)
            && (!step.TryGetProperty("prepend_scheme", out JsonElement scheme) || scheme.ToString() == "always");
    }

    /// <summary>The words of a text, each with '▁' in front.</summary>
    public IEnumerable<string> Of(string text)
    {
        StringBuilder word = new();
        foreach (char c in atWhiteSpace ? text : text.Replace(' ', Space))
        {
            bool space = atWhiteSpace && char.IsWhiteSpace(c);
            if ((space || c == Space) && word.Length > 0)
            {
                yield return word.ToString();
                word.Clear();
            }
            if (!space)
            {
                if (word.Length == 0 && c != Space)
                {
                    word.Append(Space);
                }
                word.Append(c);
            }
        }
        if (word.Length > 0)
        {
            yield return word.ToString();
        }
    }
}
