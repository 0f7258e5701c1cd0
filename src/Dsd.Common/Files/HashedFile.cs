namespace Dsd.Common.Files;

/// <summary>A new file whose SHA-256 is made while it is written.</summary>
/// <remarks>One thread writes. <see cref="Complete"/> ends the writing; without it there is no hash.</remarks>
public sealed class HashedFile : HashingStream
{
    private readonly FileStream _file;
    private readonly Action<FileHash>? _completed;

    /// <summary>Makes the file.</summary>
    /// <param name="path">Where nothing stands yet.</param>
    /// <exception cref="IOException">Something stands there, or the file cannot be made.</exception>
    public HashedFile(string path)
        : this(path, null)
    {
    }

    internal HashedFile(string path, Action<FileHash>? completed)
        : this(new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0), completed)
    {
    }

    private HashedFile(FileStream file, Action<FileHash>? completed)
        : base(file) =>
        (_file, _completed) = (file, completed);

    /// <summary>Ends the file: all of it is on the disk when this returns.</summary>
    /// <returns>Its length and hash.</returns>
    /// <exception cref="IOException">The disk is full, or the file cannot be written.</exception>
    public FileHash Complete()
    {
        string sha256 = Convert.ToHexStringLower(TakeHash());
        _file.Flush(flushToDisk: true);
        FileHash hash = new(Length, sha256);
        Dispose();
        _completed?.Invoke(hash);
        return hash;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _file.Dispose();
        }
    }
}
