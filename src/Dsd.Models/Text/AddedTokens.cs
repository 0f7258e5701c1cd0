using System.Globalization;
using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>
/// The added tokens of a tokenizer's folder, from every file that may name some. Where two files describe the same token, the order is that of
/// transformers: <c>added_tokens_decoder</c> of tokenizer_config.json before tokenizer.json, before added_tokens.json, before the special tokens
/// by name. Ids that contradict each other are refused.
/// </summary>
internal sealed class AddedTokens
{
    private const int MostTokens = 10_000;
    private readonly Dictionary<string, (AddedToken Token, string File)> _tokens = [];
    private readonly Func<string, int?> _vocabulary;
    private readonly int _size;

    private AddedTokens(Func<string, int?> vocabulary, int size) => (_vocabulary, _size) = (vocabulary, size);

    /// <summary>Gathers the tokens.</summary>
    /// <param name="folder">The tokenizer's folder.</param>
    /// <param name="json">What its tokenizer.json says; null where there is none.</param>
    /// <param name="vocabulary">The id of a token of the model's own vocabulary; null for none.</param>
    /// <param name="size">How many ids that vocabulary has.</param>
    /// <param name="sentinels">Tokens that follow the vocabulary by a rule of the model.</param>
    public static IReadOnlyCollection<AddedToken> Of(
        TokenizerFolder folder, TokenizerJson? json, Func<string, int?> vocabulary, int size, IEnumerable<AddedToken>? sentinels = null)
    {
        AddedTokens found = new(vocabulary, size);
        // Those that give ids come first, so that those that only name a token find its id.
        found.AddAll(folder.ConfigFile, folder.Decoder());
        found.AddAll(json?.File ?? "", json?.Added ?? []);
        string[] named = [.. folder.Special().Select(s => AddedToken.ContentOf(s.Value) ?? "")];
        found.AddAll(folder.AddedFile, folder.AddedFileTokens(named));
        found.AddAll(folder.ConfigFile, sentinels ?? []);
        foreach ((string file, string place, JsonElement value) in folder.Special())
        {
            found.Add(file, AddedToken.Parse(file, place, value, found.IdOf));
        }
        return found.Checked();
    }

    private int? IdOf(string content) => _tokens.TryGetValue(content, out (AddedToken Token, string) known) ? known.Token.Id : _vocabulary(content);

    private void AddAll(string file, IEnumerable<AddedToken> tokens)
    {
        foreach (AddedToken token in tokens)
        {
            Add(file, token);
        }
    }

    private void Add(string file, AddedToken token)
    {
        if (_vocabulary(token.Content) is { } own && own != token.Id)
        {
            throw new WeightsException(file, $"id {own} for the token '{token.Content}', as the vocabulary has it", $"{token.Id}");
        }
        if (!_tokens.TryAdd(token.Content, (token, file)) && _tokens[token.Content] is { } known && known.Token.Id != token.Id)
        {
            throw new WeightsException(file, $"id {known.Token.Id} for the token '{token.Content}', as '{known.File}' has it", $"{token.Id}");
        }
        if (_tokens.Count > MostTokens)
        {
            throw new WeightsException(file, $"at most {MostTokens} added tokens", "more");
        }
    }

    /// <summary>
    /// The tokens, if each has an id of its own and those beyond the vocabulary follow it without a gap: readers disagree about the ids of
    /// others.
    /// </summary>
    private AddedToken[] Checked()
    {
        int next = _size;
        foreach ((AddedToken token, string file) in _tokens.Values.Where(t => _vocabulary(t.Token.Content) is null).OrderBy(t => t.Token.Id))
        {
            if (token.Id != next++)
            {
                string reason = token.Id < _size ? "the vocabulary has another token there" : "ids beyond the vocabulary follow one another";
                throw new WeightsException(
                    file, $"id {next - 1} for the next added token, '{token.Content}'", $"{token.Id.ToString(CultureInfo.InvariantCulture)}: {reason}");
            }
        }
        return [.. _tokens.Values.Select(t => t.Token)];
    }
}
