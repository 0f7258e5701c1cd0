namespace Dsd.Dataset.Formats;

/// <summary>
/// A file's stream for a library that does not ask whether a file has ended: reading beyond a bound is an error, and so is reading once a
/// token is cancelled.
/// </summary>
/// <param name="file">The file; it stays the caller's.</param>
internal sealed class BoundedReads(FileStream file) : Stream
{
    /// <summary>Where reading may begin.</summary>
    public long Begin { get; set; }

    /// <summary>Where it ends.</summary>
    public long End { get; set; } = file.Length;

    /// <summary>Checked at each reading.</summary>
    public CancellationToken Cancel { get; set; }

    public override bool CanRead => file.CanRead;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => file.Length;

    public override long Position
    {
        get => file.Position;
        set => file.Position = value;
    }

    public override int ReadByte()
    {
        Check();
        return file.ReadByte();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }
        Check();
        return file.Read(buffer[..(int)Math.Min(buffer.Length, End - file.Position)]);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

    public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Check()
    {
        Cancel.ThrowIfCancellationRequested();
        if (file.Position < Begin || file.Position >= End)
        {
            throw new EndOfStreamException($"reading at {file.Position}, outside of {Begin} to {End}");
        }
    }
}
