using System.Security.Cryptography;

namespace Dsd.Common.Files;

/// <summary>
/// Passes on what is written, and makes its SHA-256 meanwhile, so that nobody has to read it again. Another thread hashes one block while the next is made and
/// written; memory is two blocks of a megabyte.
/// </summary>
/// <remarks>One thread writes. The stream that is written to stays open.</remarks>
public class HashingStream : Stream
{
    private const int BlockBytes = 1 << 20;

    private readonly Stream _target;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _block = new byte[BlockBytes];
    private byte[] _other = new byte[BlockBytes];
    private int _used;
    private long _written;
    private Task _hashing = Task.CompletedTask;
    private bool _disposed;

    /// <summary>Begins with nothing written.</summary>
    /// <param name="target">What is written to. It is written in blocks, so it needs no buffer of its own.</param>
    public HashingStream(Stream target)
    {
        ArgumentNullException.ThrowIfNull(target);
        _target = target;
    }

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
        set => throw new NotSupportedException("What is hashed is written from its beginning to its end.");
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

    /// <summary>Hands on what was written.</summary>
    public override void Flush()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Push();
    }

    /// <summary>Hands on what was written, and begins a new hash.</summary>
    /// <returns>The SHA-256 of all bytes since the last one: 32 bytes.</returns>
    public byte[] TakeHash()
    {
        Flush();
        _hashing.GetAwaiter().GetResult();
        return _hash.GetHashAndReset();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("What is hashed is written only.");

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) =>
        throw new NotSupportedException("What is hashed is written from its beginning to its end.");

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException("What is hashed is as long as what is written.");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            // The hash must not be freed under the thread that makes it.
            _hashing.GetAwaiter().GetResult();
            _hash.Dispose();
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
        _target.Write(block, 0, length);
    }
}
