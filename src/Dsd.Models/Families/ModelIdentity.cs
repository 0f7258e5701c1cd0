using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;

namespace Dsd.Models.Families;

/// <summary>Tells the encoders of one model from those of another, so that what they gave can be kept: equal texts mean equal results.</summary>
/// <remarks>
/// Of large files it takes name, size, the start with all names and shapes of tensors, the end, and pieces of 4 KB spread evenly between them. To read
/// T5 and the autoencoder as a whole would take as long as loading them, at each start; and weights that were trained on differ nearly everywhere.
/// </remarks>
/// <param name="Autoencoder">The autoencoder, and how it computes.</param>
/// <param name="Text">Tokenizers and text encoders, and how they compute.</param>
internal sealed record ModelIdentity(string Autoencoder, string Text)
{
    private const long WholeUpTo = 4 << 20;
    private const int End = 64 << 10;
    private const int Piece = 4 << 10;
    private const int Pieces = 64;

    /// <summary>An identity that no other model has: nothing of this one's is found again.</summary>
    public static ModelIdentity Unknown() => new(Own(), Own());

    /// <summary>The identity of a folder in diffusers' layout. What the layout's names do not tell is unknown.</summary>
    /// <param name="folder">The pipeline's folder.</param>
    /// <param name="options">How the model is loaded.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ModelIdentity Of(ModelFolder folder, PipelineOptions options)
    {
        // Rounding differs between types and devices, which is too much for an entry that must be what this model gives.
        string how = $"{options.DType} {options.Device?.type.ToString() ?? "CPU"}";
        string[] text =
        [
            .. Directory.EnumerateDirectories(folder.Path)
                .Where(d => Path.GetFileName(d) is { } name && (name.StartsWith("text_encoder", StringComparison.Ordinal)
                    || name.StartsWith("tokenizer", StringComparison.Ordinal)))
                .Order(StringComparer.Ordinal),
        ];
        string vae = Path.Combine(folder.Path, "vae");
        return new ModelIdentity(
            Directory.Exists(vae) ? Of([vae, .. options.VaeFile is { } file ? [file] : Array.Empty<string>()], how) : Own(),
            text.Length > 0 ? Of(text, how) : Own());
    }

    /// <summary>The same model with text encoders that something lies over.</summary>
    public ModelIdentity WithOtherText() => this with { Text = Own() };

    /// <summary>The identity of some files, and of those that lie directly in some folders.</summary>
    internal static string Of(IEnumerable<string> filesAndFolders, string how)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, how);
        foreach (string path in filesAndFolders)
        {
            Add(hash, Path.GetFileName(path));
            string[] files = Directory.Exists(path) ? [.. Directory.EnumerateFiles(path).Order(StringComparer.Ordinal)] : [path];
            foreach (string file in files)
            {
                using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
                Add(hash, $"{Path.GetFileName(file)} {stream.Length}");
                AddContent(hash, stream);
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AddContent(IncrementalHash hash, FileStream stream)
    {
        if (stream.Length <= WholeUpTo)
        {
            AddPart(hash, stream, 0, stream.Length);
            return;
        }
        Span<byte> start = stackalloc byte[sizeof(ulong)];
        stream.ReadExactly(start);
        ulong header = BinaryPrimitives.ReadUInt64LittleEndian(start);
        bool hasHeader = Path.GetExtension(stream.Name) == ".safetensors" && header <= SafetensorsHeader.MaxLength;
        AddPart(hash, stream, 0, Math.Min(stream.Length, (hasHeader ? (long)header : 0) + End));
        AddPart(hash, stream, stream.Length - End, End);
        for (int i = 1; i < Pieces; i++)
        {
            AddPart(hash, stream, (stream.Length - Piece) / Pieces * i, Piece);
        }
    }

    private static void AddPart(IncrementalHash hash, FileStream stream, long from, long length)
    {
        byte[] part = new byte[Math.Min(length, 1 << 20)];
        stream.Position = from;
        while (length > 0)
        {
            Span<byte> some = part.AsSpan(0, (int)Math.Min(length, part.Length));
            stream.ReadExactly(some);
            hash.AppendData(some);
            length -= some.Length;
        }
    }

    private static void Add(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));

    private static string Own() => Guid.NewGuid().ToString("N");
}
