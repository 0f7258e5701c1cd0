using System.Text;

namespace Dsd.Runs.Captions;

/// <summary>
/// The signs of a captions file one at a time, with the line that they stand in: strict UTF-8, or UTF-16 where a byte-order mark says so.
/// Bytes that are no text end it with an error.
/// </summary>
internal sealed class CaptionText : IDisposable
{
    private const int End = -1;
    private const int Buffer = 16 * 1024;

    private static readonly (byte[] Start, string Kind)[] Kinds =
    [
        ([0xFF, 0xFE, 0, 0], "UTF-32 text: save it as UTF-8"),
        ([0, 0, 0xFE, 0xFF], "UTF-32 text: save it as UTF-8"),
        ("PAR1\u0015"u8.ToArray(), "a Parquet file: write its captions as text, JSON or CSV"),
        ("PK\u0003\u0004"u8.ToArray(), "a zip archive, which .xlsx, .ods and .docx are too: save the captions as CSV or text"),
        ([0xD0, 0xCF, 0x11, 0xE0], "an old Office file: save the captions as CSV or text"),
        ([0x1F, 0x8B], "a gzip archive: unpack it first"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a Zstandard archive: unpack it first"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "an xz archive: unpack it first"),
        ([0x37, 0x7A, 0xBC, 0xAF], "a 7z archive: unpack it first"),
        ("ARROW1\0"u8.ToArray(), "an Arrow file: write its captions as text, JSON or CSV"),
        ("SQLite format 3\0"u8.ToArray(), "a SQLite database: write its captions as text, JSON or CSV"),
        ("%PDF-"u8.ToArray(), "a PDF: save the captions as text"),
        ("{\\rtf"u8.ToArray(), "an RTF document: save the captions as plain text"),
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "a picture"),
        ([0xFF, 0xD8, 0xFF], "a picture"),
    ];

    private readonly string _file;
    private readonly FileStream _stream;
    private readonly byte[] _bytes = new byte[Buffer];
    private readonly char[] _chars;
    private readonly Decoder _decoder;
    private readonly string _encoding;
    private int _start;
    private int _byteCount;
    private int _position;
    private int _count;
    private int _linesDecoded = 1;
    private bool _ended;

    public CaptionText(string file)
    {
        _file = file;
        _stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            _byteCount = _stream.ReadAtLeast(_bytes, Buffer, throwOnEndOfStream: false);
            ReadOnlySpan<byte> head = _bytes.AsSpan(0, _byteCount);
            foreach ((byte[] start, string kind) in Kinds)
            {
                if (head.StartsWith(start))
                {
                    throw new InvalidDataException($"Captions '{file}': expected text, found {kind}.");
                }
            }
            bool isLittle = head.StartsWith<byte>([0xFF, 0xFE]);
            bool isWide = isLittle || head.StartsWith<byte>([0xFE, 0xFF]);
            (_encoding, _start) = isWide ? ("UTF-16", 2) : ("UTF-8", head.StartsWith<byte>([0xEF, 0xBB, 0xBF]) ? 3 : 0);
            Encoding encoding = isWide ? new UnicodeEncoding(!isLittle, false, throwOnInvalidBytes: true) : new UTF8Encoding(false, throwOnInvalidBytes: true);
            _decoder = encoding.GetDecoder();
            _chars = new char[encoding.GetMaxCharCount(Buffer)];
            Decode();
        }
        catch
        {
            _stream.Dispose();
            throw;
        }
    }

    /// <summary>The line of the next sign, from 1.</summary>
    public int Line { get; private set; } = 1;

    /// <summary>What the file begins with, some thousand signs of it.</summary>
    public ReadOnlySpan<char> Head => _chars.AsSpan(_position, _count - _position);

    public void Dispose() => _stream.Dispose();

    /// <summary>The next sign, which stays the next; -1 at the end.</summary>
    public int Peek()
    {
        while (_position == _count && !_ended)
        {
            _byteCount = _stream.Read(_bytes);
            Decode();
        }
        return _position == _count ? End : _chars[_position];
    }

    /// <summary>The next sign; -1 at the end.</summary>
    /// <exception cref="InvalidDataException">It is a control character.</exception>
    public int Next()
    {
        int c = Peek();
        if (c == End)
        {
            return End;
        }
        _position++;
        if (c == '\r' && Peek() != '\n')
        {
            throw Fault("lines that end with a line feed", "a carriage return by itself. Save the file with the line ends of Unix or Windows");
        }
        if (char.IsControl((char)c) && c is not ('\t' or '\n' or '\r'))
        {
            throw Fault("text", $"the control character U+{c:X4}. It is another kind of file, or its encoding is not {_encoding}");
        }
        Line += c == '\n' ? 1 : 0;
        return c;
    }

    /// <summary>An error that names the file and a line.</summary>
    public InvalidDataException Fault(string expected, string found, int? line = null) =>
        new($"Captions '{_file}', line {line ?? Line}: expected {expected}, found {found}.");

    private void Decode()
    {
        (int start, int count) = (_start, _byteCount - _start);
        _start = 0;
        _ended = _byteCount == 0;
        try
        {
            (_position, _count) = (0, _decoder.GetChars(_bytes, start, count, _chars, 0, flush: _ended));
        }
        catch (DecoderFallbackException e)
        {
            int line = _linesDecoded + _bytes.AsSpan(start, Math.Clamp(e.Index, 0, count)).Count((byte)'\n');
            throw new InvalidDataException($"Captions '{_file}', line {line}: expected {_encoding} text, found other bytes. Save the file as UTF-8.", e);
        }
        _linesDecoded += _chars.AsSpan(0, _count).Count('\n');
    }
}
