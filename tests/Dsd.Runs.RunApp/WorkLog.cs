namespace Dsd.Runs.RunApp;

/// <summary>A line for each piece of work that was done, appended before it is written to the ledger: what is done twice stands in it twice.</summary>
public sealed class WorkLog(string file) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FileStream _stream = new(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);

    public void Add(string what)
    {
        lock (_gate)
        {
            _stream.Write(System.Text.Encoding.UTF8.GetBytes($"{what}\n"));
        }
    }

    public void Dispose() => _stream.Dispose();
}
