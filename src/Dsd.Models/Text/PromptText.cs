using System.Text;
using Dsd.Common.Options;

namespace Dsd.Models.Text;

/// <summary>What both tokenizers do with a prompt before its words are looked at.</summary>
public static class PromptText
{
    /// <summary>The longest prompt that is looked at, in UTF-16 characters. No model reads more than a few hundred tokens of it.</summary>
    public const int MaxCharacters = 100_000;

    /// <summary>Checks the arguments of an encoding, and puts U+FFFD for halves of surrogate pairs, which no file format can hold.</summary>
    internal static string Checked(string text, int length, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(text);
        OptionCheck.Range(length, 2, maxLength, nameof(maxLength));
        if (text.Length > MaxCharacters)
        {
            throw new ArgumentException($"The prompt has {text.Length} characters; at most {MaxCharacters} are looked at. Shorten it.", nameof(text));
        }
        StringBuilder? repaired = null;
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                {
                    i++;
                }
                else
                {
                    repaired ??= new StringBuilder(text);
                    repaired[i] = '\ufffd';
                }
            }
        }
        return repaired?.ToString() ?? text;
    }

    /// <summary>Ids between an optional first and a last one, cut and padded to the length.</summary>
    internal static long[] Fit(List<int> ids, int? first, int last, int pad, int length, out bool truncated)
    {
        int room = length - (first is null ? 1 : 2);
        truncated = ids.Count > room;
        IEnumerable<int> kept = ids.Take(room).Append(last);
        kept = first is { } begin ? kept.Prepend(begin) : kept;
        long[] fitted = new long[length];
        Array.Fill(fitted, pad);
        int i = 0;
        foreach (int id in kept)
        {
            fitted[i++] = id;
        }
        return fitted;
    }
}
