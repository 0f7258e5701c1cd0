using System.Text;
using System.Text.Json;

namespace Dsd.Models.Tests.Text;

/// <summary>Unigram segmentation as the method is defined, from the pieces and scores that <c>tokenizer.json</c> spells out.</summary>
internal sealed class UnigramReference
{
    private const double UnknownPenalty = 10;
    private readonly Dictionary<string, (int Id, double Score)> _pieces = [];
    private readonly int _unknown;
    private readonly double _least;

    public UnigramReference(string folder)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer.json")));
        JsonElement model = document.RootElement.GetProperty("model");
        HashSet<int> special = [.. document.RootElement.GetProperty("added_tokens").EnumerateArray().Select(t => t.GetProperty("id").GetInt32())];
        _unknown = model.GetProperty("unk_id").GetInt32();
        int id = 0;
        foreach (JsonElement piece in model.GetProperty("vocab").EnumerateArray())
        {
            if (!special.Contains(id))
            {
                _pieces[piece[0].GetString()!] = (id, piece[1].GetDouble());
            }
            id++;
        }
        _least = _pieces.Values.Min(p => p.Score);
    }

    /// <summary>The most likely pieces of a word; characters that are no piece count as one unknown token where they touch.</summary>
    public IEnumerable<int> Encode(string word)
    {
        Rune[] runes = [.. word.EnumerateRunes()];
        (double Score, int From, int Id)[] best = new (double, int, int)[runes.Length + 1];
        for (int end = 1; end <= runes.Length; end++)
        {
            best[end] = (best[end - 1].Score + _least - UnknownPenalty, end - 1, _unknown);
            for (int start = Math.Max(0, end - 40); start < end; start++)
            {
                string text = string.Concat(runes[start..end]);
                if (_pieces.TryGetValue(text, out (int Id, double Score) piece) && best[start].Score + piece.Score > best[end].Score)
                {
                    best[end] = (best[start].Score + piece.Score, start, piece.Id);
                }
            }
        }
        List<int> ids = [];
        for (int end = runes.Length; end > 0; end = best[end].From)
        {
            if (ids.Count == 0 || ids[^1] != _unknown || best[end].Id != _unknown)
            {
                ids.Add(best[end].Id);
            }
        }
        ids.Reverse();
        return ids;
    }
}
