using System.Text;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>The parts of a <c>spiece.model</c> (a protocol buffer) that are needed beside the tokenizer library.</summary>
internal sealed class SentencePieceModel
{
    // Field numbers of the format's message definitions.
    private const int Pieces1 = 1;
    private const int TrainerSpec = 2;
    private const int NormalizerSpec = 3;
    private const int CharsMap = 2;
    private const int BosId = 41;
    private const int BosPiece = 46;
    private const int LengthDelimited = 2;

    private readonly List<string> _pieces = [];

    private SentencePieceModel()
    {
    }

    /// <summary>The pieces' texts; a piece's place is its id.</summary>
    public IReadOnlyList<string> Pieces => _pieces;

    /// <summary>The table of characters that texts are normalised with; empty where there is none.</summary>
    public byte[] CharacterMap { get; private set; } = [];

    public static SentencePieceModel Parse(string file, byte[] bytes)
    {
        SentencePieceModel model = new();
        try
        {
            foreach ((int field, ReadOnlyMemory<byte> content) in Messages(bytes))
            {
                if (field == Pieces1)
                {
                    ReadOnlyMemory<byte> text = Messages(content).Where(f => f.Field == 1).Select(f => f.Content).LastOrDefault();
                    model._pieces.Add(Encoding.UTF8.GetString(text.Span));
                }
                else if (field == NormalizerSpec)
                {
                    foreach ((int part, ReadOnlyMemory<byte> map) in Messages(content))
                    {
                        model.CharacterMap = part == CharsMap ? map.ToArray() : model.CharacterMap;
                    }
                }
            }
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new WeightsException(file, "a SentencePiece model", e.Message.TrimEnd('.'), e);
        }
        return model._pieces.Count > 0 ? model : throw new WeightsException(file, "a SentencePiece model with pieces", "none");
    }

    /// <summary>The id of a piece.</summary>
    public int Id(string file, string piece)
    {
        int id = _pieces.IndexOf(piece);
        return id >= 0 ? id : throw new WeightsException(file, $"the special token '{piece}'", $"{_pieces.Count} pieces, none of them it");
    }

    /// <summary>
    /// The model with the end token named as the begin token too. T5 has none, and the library asks for one, although it is never
    /// written here. A message that occurs twice is merged, so the change is a few bytes at the end.
    /// </summary>
    public byte[] WithBeginToken(byte[] bytes, string piece, int id)
    {
        List<byte> trainer = [];
        Varint(trainer, BosId << 3);
        Varint(trainer, id);
        Varint(trainer, (BosPiece << 3) | LengthDelimited);
        byte[] text = Encoding.UTF8.GetBytes(piece);
        Varint(trainer, text.Length);
        trainer.AddRange(text);
        List<byte> end = [];
        Varint(end, (TrainerSpec << 3) | LengthDelimited);
        Varint(end, trainer.Count);
        return [.. bytes, .. end, .. trainer];
    }

    /// <summary>The length-delimited fields of a message; numbers are passed over.</summary>
    private static IEnumerable<(int Field, ReadOnlyMemory<byte> Content)> Messages(ReadOnlyMemory<byte> message)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint(message, ref at);
            switch (key & 7)
            {
                case 0:
                    Varint(message, ref at);
                    break;
                case 1:
                    at = Forward(message, at, 8);
                    break;
                case LengthDelimited:
                    int start = at;
                    ulong length = Varint(message, ref start);
                    at = Forward(message, start, length);
                    yield return (checked((int)(key >> 3)), message[start..at]);
                    break;
                case 5:
                    at = Forward(message, at, 4);
                    break;
                default:
                    throw new FormatException($"a field of kind {key & 7} at byte {at}");
            }
        }
    }

    private static int Forward(ReadOnlyMemory<byte> message, int at, ulong length) =>
        length <= (ulong)(message.Length - at) ? at + (int)length : throw new FormatException($"a field of {length} bytes, {message.Length - at} before the end");

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

    private static void Varint(List<byte> bytes, int value)
    {
        for (uint rest = (uint)value; ; rest >>= 7)
        {
            bytes.Add((byte)(rest >= 0x80 ? rest | 0x80 : rest));
            if (rest < 0x80)
            {
                return;
            }
        }
    }
}
