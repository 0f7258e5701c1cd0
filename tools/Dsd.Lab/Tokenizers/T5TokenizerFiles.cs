using System.Buffers.Binary;
using System.Text;
using Dsd.Common.Files;
using Google.Protobuf;

namespace Dsd.Lab.Tokenizers;

/// <summary>
/// Makes a T5-style tokenizer, a SentencePiece unigram model with one piece for every word of the texts, and writes it in the published format:
/// <c>spiece.model</c> and <c>tokenizer_config.json</c>.
/// </summary>
/// <remarks>
/// Every visible ASCII character is a piece too, so other English words are spelled rather than unknown. Upper case is read as lower case, by the
/// model's own table of characters. The same texts always give the same files.
/// </remarks>
internal static class T5TokenizerFiles
{
    private const char WordStart = '▁';
    private const int Unknown = 2;
    private const int Control = 3;

    /// <summary>Makes a tokenizer and writes its files, which replace earlier ones.</summary>
    /// <param name="folder">Where the files are written; created when missing.</param>
    /// <param name="corpus">The texts whose words become pieces.</param>
    /// <param name="maxPieces">The most pieces; the rarest words are left out where there are more.</param>
    /// <param name="maxLength">The most tokens of a text that the model was made for, the end included; written as <c>model_max_length</c>.</param>
    /// <returns>The number of pieces.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no room for the single characters, or the length is below 2.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static int Write(string folder, IEnumerable<string> corpus, int maxPieces = 1200, int maxLength = 64)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPieces, 128);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);

        Dictionary<string, long> counts = Count(corpus);
        double total = Math.Max(1, counts.Values.Sum());
        // Spelling a word must never beat its own piece, however rare the word is.
        float spelled = (float)Math.Log(0.01 / total);
        string[] characters = [WordStart.ToString(),
            .. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => !char.IsAsciiLetterUpper(c)).Select(c => c.ToString())];
        List<(string Text, float Score, int Type)> pieces = [("<pad>", 0, Control), ("</s>", 0, Control), ("<unk>", 0, Unknown)];
        pieces.AddRange(counts
            .Where(word => word.Key.Length > 1)
            .OrderByDescending(word => word.Value)
            .ThenBy(word => word.Key, StringComparer.Ordinal)
            .Take(maxPieces - pieces.Count - characters.Length)
            .Select(word => (word.Key, (float)Math.Log(word.Value / total), 0)));
        pieces.AddRange(characters.Select(
            character => (character, counts.TryGetValue(character, out long count) ? (float)Math.Log(count / total) : spelled, 0)));

        Directory.CreateDirectory(folder);
        byte[] model = Model(pieces);
        AtomicFile.Write(Path.Combine(folder, "spiece.model"), stream => stream.Write(model));
        ClipTokenizerFiles.WriteText(Path.Combine(folder, "tokenizer_config.json"), $$"""
            {
              "eos_token": "</s>",
              "extra_ids": 0,
              "model_max_length": {{maxLength}},
              "pad_token": "<pad>",
              "tokenizer_class": "T5Tokenizer",
              "unk_token": "<unk>"
            }

            """);
        return pieces.Count;
    }

    // Words with the mark of their start, and punctuation by itself, which stands behind words without a space.
    private static Dictionary<string, long> Count(IEnumerable<string> corpus)
    {
        Dictionary<string, long> counts = [];
        void Add(string piece) => counts[piece] = counts.GetValueOrDefault(piece) + 1;
        foreach (string text in corpus)
        {
            foreach (string chunk in text.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                string word = chunk.TrimEnd('.', ',', ':', ';', '!', '?');
                if (word.Length > 0)
                {
                    Add(WordStart + word);
                }
                foreach (char mark in chunk.AsSpan(word.Length))
                {
                    Add(mark.ToString());
                }
            }
        }
        return counts;
    }

    // The field numbers are those of SentencePiece's ModelProto, TrainerSpec and NormalizerSpec.
    private static byte[] Model(List<(string Text, float Score, int Type)> pieces) => Message(model =>
    {
        foreach ((string text, float score, int type) in pieces)
        {
            Bytes(model, 1, Message(piece =>
            {
                Bytes(piece, 1, Encoding.UTF8.GetBytes(text));
                piece.WriteTag(2, WireFormat.WireType.Fixed32);
                piece.WriteFloat(score);
                if (type != 0)
                {
                    Number(piece, 3, type);
                }
            }));
        }
        Bytes(model, 2, Message(trainer =>
        {
            Number(trainer, 3, 1); // model_type: unigram
            Number(trainer, 4, pieces.Count); // vocab_size
            Number(trainer, 35, 0); // byte_fallback
            Number(trainer, 40, 2); // unk_id
            Number(trainer, 41, -1); // bos_id: there is none
            Number(trainer, 42, 1); // eos_id
            Number(trainer, 43, 0); // pad_id
        }));
        Bytes(model, 3, Message(normalizer =>
        {
            Bytes(normalizer, 1, Encoding.UTF8.GetBytes("user_defined"));
            Bytes(normalizer, 2, LowerCase());
            Number(normalizer, 3, 1); // add_dummy_prefix
            Number(normalizer, 4, 1); // remove_extra_whitespaces
            Number(normalizer, 5, 1); // escape_whitespaces
        }));
    });

    /// <summary>
    /// The table that reads A … Z as a … z: the size of a double-array trie in bytes, the trie, and the replacements, each ending in a zero byte.
    /// </summary>
    /// <remarks>
    /// A unit of the trie holds its label in bits 0–7, whether a key ends there in bit 8, and in bits 10–30 the number that, by exclusive or with its own
    /// place, leads to its children; a value has bit 31 set. The first block of 256 units holds the root, the second the letters, the third their values.
    /// </remarks>
    private static byte[] LowerCase()
    {
        const int Block = 256;
        uint[] trie = new uint[3 * Block];
        trie[0] = Block << 10;
        StringBuilder replacements = new();
        for (char letter = 'A'; letter <= 'Z'; letter++)
        {
            int place = Block ^ letter;
            int value = 2 * Block + (letter - 'A');
            trie[place] = letter | 1u << 8 | (uint)(place ^ value) << 10;
            trie[value] = 1u << 31 | (uint)replacements.Length;
            replacements.Append(char.ToLowerInvariant(letter)).Append('\0');
        }
        byte[] table = new byte[sizeof(uint) * (1 + trie.Length) + replacements.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(table, (uint)(sizeof(uint) * trie.Length));
        for (int i = 0; i < trie.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(sizeof(uint) * (1 + i)), trie[i]);
        }
        Encoding.ASCII.GetBytes(replacements.ToString(), table.AsSpan(sizeof(uint) * (1 + trie.Length)));
        return table;
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using MemoryStream bytes = new();
        using (CodedOutputStream output = new(bytes, leaveOpen: true))
        {
            write(output);
        }
        return bytes.ToArray();
    }

    private static void Bytes(CodedOutputStream output, int field, byte[] bytes)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(bytes));
    }

    private static void Number(CodedOutputStream output, int field, int value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt32(value);
    }
}
