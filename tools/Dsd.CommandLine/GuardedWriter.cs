using System.Text;

namespace Dsd.CommandLine;

/// <summary>
/// A writer that never throws: a display that is gone must not take the work of days with it, on whatever thread a line is written. What failed first
/// is remembered, for those who ask.
/// </summary>
/// <param name="inner">Where the text goes.</param>
/// <param name="isTerminal">Whether people look at it.</param>
/// <param name="endsWithFault">
/// Whether nothing more is written after a fault: of a result, the beginning is better than pieces. Messages go on, since a full disk may be emptied.
/// </param>
public sealed class GuardedWriter(TextWriter inner, bool isTerminal = false, bool endsWithFault = false) : TextWriter
{
    private readonly Lock _gate = new();
    private Exception? _fault;

    /// <summary>What went wrong first; null if nothing did.</summary>
    public Exception? Fault => Volatile.Read(ref _fault);

    /// <summary>Whether people look at it.</summary>
    public bool IsTerminal => isTerminal;

    public override Encoding Encoding => inner.Encoding;

    /// <summary>This writer if it is guarded already, and a guard around it if not.</summary>
    public static GuardedWriter Around(TextWriter writer, bool endsWithFault) =>
        writer as GuardedWriter ?? new GuardedWriter(writer, endsWithFault: endsWithFault);

    public override void Write(char value) => Try(value, static (writer, c) => writer.Write(c));

    public override void Write(string? value) => Try(value, static (writer, text) => writer.Write(text));

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(new string(buffer));

    public override void WriteLine() => Try(0, static (writer, _) => writer.WriteLine());

    public override void WriteLine(string? value) => Try(value, static (writer, text) => writer.WriteLine(text));

    public override void WriteLine(ReadOnlySpan<char> buffer) => WriteLine(new string(buffer));

    public override void Flush() => Try(0, static (writer, _) => writer.Flush());

    private void Try<T>(T value, Action<TextWriter, T> write)
    {
        lock (_gate)
        {
            if (endsWithFault && _fault is not null)
            {
                return;
            }
            try
            {
                write(inner, value);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException
                or NotSupportedException or InvalidOperationException or ArgumentException)
            {
                Volatile.Write(ref _fault, _fault ?? e);
            }
        }
    }
}
