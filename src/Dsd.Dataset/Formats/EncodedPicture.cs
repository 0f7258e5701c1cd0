using Dsd.Imaging;

namespace Dsd.Dataset.Formats;

/// <summary>A picture as the bytes of a PNG, JPEG or WebP file, which are read when they are asked for.</summary>
public sealed class EncodedPicture
{
    private readonly string _source;
    private readonly Func<ReadOnlyMemory<byte>> _read;

    /// <summary>A picture whose bytes are at hand.</summary>
    /// <param name="name">What its file is called.</param>
    /// <param name="bytes">The file's bytes.</param>
    public EncodedPicture(string? name, ReadOnlyMemory<byte> bytes)
        : this(name, name ?? "picture", () => bytes)
    {
    }

    internal EncodedPicture(string? name, string source, Func<ReadOnlyMemory<byte>> read) => (Name, _source, _read) = (name, source, read);

    /// <summary>What its file is called; null where that is not known. It comes from the dataset: never use it as a path as it is.</summary>
    public string? Name { get; }

    /// <summary>
    /// Reads the bytes, as the dataset has them: Exif in them may say that the pixels must be turned, which <see cref="Decode"/> does. A
    /// picture that a dataset gave can be read while the enumeration stands on its row.
    /// </summary>
    /// <exception cref="DatasetException">There are none, or too many.</exception>
    /// <exception cref="InvalidOperationException">The enumeration that gave the row has ended.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public ReadOnlyMemory<byte> ReadBytes() => _read();

    /// <summary>Reads and decodes the picture, turned as its Exif says.</summary>
    /// <exception cref="DatasetException">There are no bytes, or too many.</exception>
    /// <exception cref="PictureException">The bytes are no picture; the message names file, row and column.</exception>
    /// <exception cref="InvalidOperationException">The enumeration that gave the row has ended.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public Picture Decode() => Picture.Decode(ReadBytes().Span, _source);
}
