using System.Security.Cryptography;

namespace Dsd.Common.Files;

/// <summary>
/// A new file whose SHA-256 is made while it is written, so that nobody has to read it again. Another thread hashes one block while the next is made and
/// written; memory is two blocks of a megabyte.
/// </summary>
/// <remarks>One thread writes. <see cref="Complete"/> ends the writing; without it there is no hash.</remarks>
public sealed class HashedFile : Stream
{
    private const int BlockBytes = 1 << 20;

    private readonly FileStream _file;
    private readonly Action<FileHash>? _completed;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _block = new byte[BlockBytes];
    private byte[] _other = new byte[BlockBytes];
    private int _used;
    private long _written;
    private Task _hashing = Task.CompletedTask;
    private bool _disposed;

    /// <summary>Makes the file.</summary>
    /// <param name="path">Where nothing stands yet.</param>
    /// <exception cref="IOException">Something stands there, or the file cannot be made.</exception>
    public HashedFile(string path)
        : this(path, null)
    {
    }

    internal HashedFile(string path, Action<FileHash>? completed) =>
        (_file, _completed) = (new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0), completed);

    /// <summary>False.</summary>
    public override bool CanRead => false;

    /// <summary>False.</summary>
    public override bool CanSeek => false;

    /// <summary>True.</summary>
    public override bool CanWrite => true;

    /// <summary>Bytes written so far.</summary>
    public override long Length => _written;

    /// <summary>Bytes written so far.</summary>
    /// <exception cref="NotSupportedException">A place was set.</exception>
    public override long Position
    {
        get => _written;
        set => throw new NotSupportedException("A file that is hashed is written from its beginning to its end.");
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (buffer.Length > 0)
        {
            int count = Math.Min(buffer.Length, _block.Length - _used);
            buffer[..count].CopyTo(_block.AsSpan(_used));
            buffer = buffer[count..];
            _used += count;
            _written += count;
            if (_used == _block.Length)
            {
                Push();
            }
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Hands what was written to the system.</summary>
    public override void Flush()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Push();
    }

    /// <summary>Ends the file: all of it is on the disk when this returns.</summary>
    /// <returns>Its length and hash.</returns>
    /// <exception cref="IOException">The disk is full, or the file cannot be written.</exception>
    public FileHash Complete()
    {
        Flush();
        _hashing.GetAwaiter().GetResult();
        _file.Flush(flushToDisk: true);
        FileHash hash = new(_written, FileHash.Text(_hash));
        Dispose();
        _completed?.Invoke(hash);
        return hash;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A file that is hashed is written only.");

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) =>
        throw new NotSupportedException("A file that is hashed is written from its beginning to its end.");

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException("A file that is hashed is as long as what is written.");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            // The hash must not be freed under the thread that makes it.
            _hashing.GetAwaiter().GetResult();
            _hash.Dispose();
            _file.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Push()
    {
        // One block is hashed at a time, in their order.
        _hashing.GetAwaiter().GetResult();
        (byte[] block, int length) = (_block, _used);
        (_block, _other, _used) = (_other, _block, 0);
        _hashing = Task.Run(() => _hash.AppendData(block, 0, length));
        _file.Write(block, 0, length);
    }
}
