using System.Collections.Concurrent;

namespace Dsd.MLNet.Execution;

/// <summary>A folder that is deleted with its owner, and at the latest when the program ends in the usual way.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private static readonly ConcurrentDictionary<string, byte> Standing = new();

    static TemporaryFolder() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (string path in Standing.Keys)
        {
            Delete(path);
        }
    };

    public TemporaryFolder(string prefix)
    {
        Path = Directory.CreateTempSubdirectory(prefix + "-").FullName;
        Standing[Path] = 0;
    }

    public string Path { get; }

    public void Dispose() => Delete(Path);

    private static void Delete(string path)
    {
        Standing.TryRemove(path, out _);
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A file still open elsewhere, or the folder gone already: the system's own clearing of temporary files takes the rest.
        }
    }
}
