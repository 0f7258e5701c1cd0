using System.Buffers.Binary;
using System.Text;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>
/// A SentencePiece unigram model as data: read from a <c>spiece.model</c> (a protocol buffer) or given, and written for the tokenizer library.
/// </summary>
internal sealed class SentencePieceModel
{
    // Field numbers of the format's message definitions.
    private const int Piece = 1;
    private const int TrainerSpec = 2;
    private const int NormalizerSpec = 3;
    private const int PieceText = 1;
    private const int PieceScore = 2;
    private const int PieceType = 3;
    private const int ModelType = 3;
    private const int CharsMap = 2;
    private const int ByteFallback = 35;
    private const int UnknownId = 40;
    private const int BosId = 41;
    private const int EosId = 42;
    private const int UnknownPiece = 45;
    private const int BosPiece = 46;
    private const int EosPiece = 47;

    // Kinds of content of a field.
    private const int Number = 0;
    private const int EightBytes = 1;
    private const int LengthDelimited = 2;
    private const int FourBytes = 5;

    private const int Unigram = 1;
    private const int Normal = 1;
    private const int Unknowns = 2;
    private const int MostPieces = 1_000_000;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private readonly (string Text, float Score)[] _pieces;
    private readonly Dictionary<string, int> _ids = [];

    private SentencePieceModel(string file, IReadOnlyList<(string Text, float Score)> pieces, int unknown, byte[] characterMap)
    {
        (_pieces, Unknown, CharacterMap) = ([.. pieces], unknown, characterMap);
        if (_pieces.Length is 0 or > MostPieces)
        {
            throw new WeightsException(file, $"1 to {MostPieces} pieces", $"{_pieces.Length}");
        }
        for (int id = 0; id < _pieces.Length; id++)
        {
            (string text, float score) = _pieces[id];
            if (text.Length == 0 || !float.IsFinite(score) || !_ids.TryAdd(text, id))
            {
                string again = _ids.TryGetValue(text, out int first) ? $", as piece {first} is" : "";
                throw new WeightsException(file, "pieces with a text and a finite score, each once", $"piece {id}, '{text}' of score {score}{again}");
            }
        }
    }

    /// <summary>How many pieces; a piece's place is its id.</summary>
    public int Count => _pieces.Length;

    /// <summary>The id of what no piece covers.</summary>
    public int Unknown { get; }

    /// <summary>The table of characters that texts are normalised with; empty where there is none.</summary>
    public byte[] CharacterMap { get; }

    /// <summary>A model of given pieces.</summary>
    public static SentencePieceModel Of(string file, (IReadOnlyList<(string Text, float Score)> Pieces, int Unknown) unigram) =>
        new(file, unigram.Pieces, unigram.Unknown, []);

    /// <summary>Reads a <c>spiece.model</c>.</summary>
    public static SentencePieceModel Parse(string file, byte[] bytes)
    {
        List<(string, float)> pieces = [];
        byte[] map = [];
        List<int> unknown = [];
        HashSet<int> specs = [];
        try
        {
            foreach (Field field in Fields(bytes).Where(f => f.Kind == LengthDelimited))
            {
                Field[] parts = field.Number is Piece or TrainerSpec or NormalizerSpec ? [.. Fields(field.Content)] : [];
                specs.Add(field.Number);
                switch (field.Number)
                {
                    case Piece:
                        if (parts.LastOrDefault(p => p.Number == PieceType).Value == Unknowns)
                        {
                            unknown.Add(pieces.Count);
                        }
                        string text = Strict.GetString(parts.LastOrDefault(p => p.Number == PieceText).Content.Span);
                        pieces.Add((text, BitConverter.UInt32BitsToSingle((uint)parts.LastOrDefault(p => p.Number == PieceScore).Value)));
                        break;
                    case NormalizerSpec:
                        map = parts.LastOrDefault(p => p.Number == CharsMap).Content.ToArray();
                        break;
                    case TrainerSpec when parts.LastOrDefault(p => p.Number == ModelType) is { Number: ModelType, Value: not Unigram } other:
                        throw new WeightsException(file, "a SentencePiece unigram model, as T5 has it", $"one of kind {other.Value}");
                    case TrainerSpec when parts.LastOrDefault(p => p.Number == ByteFallback).Value != 0:
                        throw new WeightsException(file, "a SentencePiece model without byte fallback, as T5 has it", "one with it");
                }
            }
        }
        catch (Exception e) when (e is FormatException or OverflowException or DecoderFallbackException)
        {
            throw new WeightsException(
                file, "a SentencePiece model", e is DecoderFallbackException ? $"piece {pieces.Count}, whose text is no UTF-8" : e.Message.TrimEnd('.'), e);
        }
        if (pieces.Count == 0)
        {
            throw new WeightsException(file, "a SentencePiece model with pieces", "none");
        }
        if (!specs.Contains(TrainerSpec) || !specs.Contains(NormalizerSpec))
        {
            throw new WeightsException(
                file, "a SentencePiece model with its trainer_spec and normalizer_spec, which follow the pieces",
                $"{pieces.Count} pieces and no such part: the file is cut off. Fetch it again");
        }
        return unknown.Count == 1
            ? new SentencePieceModel(file, pieces, unknown[0], map)
            : throw new WeightsException(file, "one piece for the unknown", $"{unknown.Count} among {pieces.Count}");
    }

    /// <summary>The id of a piece; null where it is none.</summary>
    public int? IdOf(string piece) => _ids.TryGetValue(piece, out int id) ? id : null;

    /// <summary>
    /// The model for the tokenizer library. All pieces but the unknown are plain ones, as the tokenizers library of Hugging Face takes them:
    /// added tokens are cut out of the text before. T5 has no begin token and the library asks for one, although it is never written here: the
    /// end token takes its place.
    /// </summary>
    /// <param name="end">The id of the end token, which is a piece or any other.</param>
    public byte[] Write(int end)
    {
        List<byte> model = [];
        for (int id = 0; id < _pieces.Length; id++)
        {
            List<byte> piece = [];
            Text(piece, PieceText, _pieces[id].Text);
            Varint(piece, (PieceScore << 3) | FourBytes);
            piece.AddRange(BitConverter.GetBytes(_pieces[id].Score));
            Varint(piece, PieceType << 3, id == Unknown ? Unknowns : Normal);
            Varint(model, (Piece << 3) | LengthDelimited, piece.Count);
            model.AddRange(piece);
        }
        int edge = end < _pieces.Length ? end : Unknown;
        List<byte> trainer = [];
        Varint(trainer, ModelType << 3, Unigram);
        foreach ((int idField, int pieceField, int id) in new[] { (UnknownId, UnknownPiece, Unknown), (BosId, BosPiece, edge), (EosId, EosPiece, edge) })
        {
            Varint(trainer, idField << 3, id);
            Text(trainer, pieceField, _pieces[id].Text);
        }
        Varint(model, (TrainerSpec << 3) | LengthDelimited, trainer.Count);
        model.AddRange(trainer);
        // The library asks for a normaliser too, though texts come to it normalised.
        Varint(model, (NormalizerSpec << 3) | LengthDelimited, 0);
        return [.. model];
    }

    private static void Text(List<byte> message, int field, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Varint(message, (field << 3) | LengthDelimited, bytes.Length);
        message.AddRange(bytes);
    }

    /// <summary>The fields of a message.</summary>
    private static IEnumerable<Field> Fields(ReadOnlyMemory<byte> message)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint(message, ref at);
            int number = checked((int)(key >> 3));
            int kind = (int)(key & 7);
            int start = at;
            switch (kind)
            {
                case Number:
                    yield return new Field(number, kind, Varint(message, ref at), default);
                    break;
                case EightBytes:
                    at = Forward(message, at, 8);
                    yield return new Field(number, kind, BinaryPrimitives.ReadUInt64LittleEndian(message.Span[start..]), default);
                    break;
                case LengthDelimited:
                    ulong length = Varint(message, ref start);
                    at = Forward(message, start, length);
                    yield return new Field(number, kind, 0, message[start..at]);
                    break;
                case FourBytes:
                    at = Forward(message, at, 4);
                    yield return new Field(number, kind, BinaryPrimitives.ReadUInt32LittleEndian(message.Span[start..]), default);
                    break;
                default:
                    throw new FormatException($"a field of kind {kind} at byte {at}");
            }
        }
    }

    private static int Forward(ReadOnlyMemory<byte> message, int at, ulong length) =>
        length <= (ulong)(message.Length - at)
            ? at + (int)length
            : throw new FormatException($"a field of {length} bytes, {message.Length - at} before the end");

    private static ulong Varint(ReadOnlyMemory<byte> message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (at == message.Length)
            {
                break;
            }
            byte b = message.Span[at++];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }
        throw new FormatException($"a number without an end at byte {at}");
    }

    private static void Varint(List<byte> bytes, params ReadOnlySpan<int> values)
    {
        foreach (int value in values)
        {
            uint rest = (uint)value;
            for (; rest >= 0x80; rest >>= 7)
            {
                bytes.Add((byte)(rest | 0x80));
            }
            bytes.Add((byte)rest);
        }
    }

    /// <summary>A field of a message.</summary>
    /// <param name="Number">Which field.</param>
    /// <param name="Kind">How its content is written.</param>
    /// <param name="Value">The content as a number, where it is one.</param>
    /// <param name="Content">The content as bytes, where it is such.</param>
    private readonly record struct Field(int Number, int Kind, ulong Value, ReadOnlyMemory<byte> Content);
}
