namespace Dsd.Dataset.Formats;

/// <summary>The lines of a file, none of them longer than a bound. A byte-order mark before the first is passed over.</summary>
internal static class JsonLines
{
    /// <summary>Each line that is not empty, with its number from 1. The memory is overwritten by the next.</summary>
    /// <exception cref="DatasetException">A line is too long, or the file's mark says that it is not UTF-8.</exception>
    public static IEnumerable<(long Number, ReadOnlyMemory<byte> Line)> Read(Stream stream, int mostBytes, string file)
    {
        byte[] buffer = new byte[64 * 1024];
        int end = stream.ReadAtLeast(buffer, StrictText.MostMark, throwOnEndOfStream: false);
        (int start, long number) = (StrictText.Mark(buffer.AsSpan(0, end), $"'{file}'"), 0);
        bool more = true;
        while (more || start < end)
        {
            int length = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (length < 0 && more)
            {
                if (end - start > mostBytes)
                {
                    throw new DatasetException($"'{file}', line {number + 1}", $"at most {mostBytes} bytes", "more");
                }
                (buffer, start, end) = Moved(buffer, start, end);
                int read = stream.Read(buffer, end, buffer.Length - end);
                more = read > 0;
                end += read;
                continue;
            }
            length = length < 0 ? end - start : length;
            ReadOnlyMemory<byte> line = buffer.AsMemory(start, length);
            start = Math.Min(end, start + length + 1);
            number++;
            if (!line.Span.Trim(" \r\t"u8).IsEmpty)
            {
                yield return (number, line);
            }
        }
    }

    /// <summary>What is left stands at the beginning, with room behind it.</summary>
    private static (byte[] Buffer, int Start, int End) Moved(byte[] buffer, int start, int end)
    {
        byte[] target = end - start > buffer.Length / 2 ? new byte[2 * buffer.Length] : buffer;
        buffer.AsSpan(start, end - start).CopyTo(target);
        return (target, 0, end - start);
    }
}
