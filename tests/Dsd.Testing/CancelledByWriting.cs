namespace Dsd.Testing;

/// <summary>A writer that cancels as soon as a line of progress is written: a user who presses Ctrl-C in the middle of the work.</summary>
public sealed class CancelledByWriting : StringWriter
{
    private readonly CancellationTokenSource _source = new();

    public CancellationToken Token => _source.Token;

    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        _source.Cancel();
    }

    protected override void Dispose(bool disposing)
    {
        _source.Dispose();
        base.Dispose(disposing);
    }
}
