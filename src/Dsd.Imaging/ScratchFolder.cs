using System.Collections.Concurrent;

namespace Dsd.Imaging;

/// <summary>
/// A folder for what is needed only now, among the system's temporary files. It goes with its owner, at the latest when the program ends; what a killed
/// program leaves is removed by the next one that makes such a folder.
/// </summary>
internal sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "dsd-";
    private const int Attempts = 5;
    private static readonly ConcurrentDictionary<string, ScratchFolder> Standing = new();
    private readonly FolderMark? _mark;

    static ScratchFolder()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => DisposeAll();
        // An exception that nobody handles ends the program without the other event.
        AppDomain.CurrentDomain.UnhandledException += (_, e) =>
        {
            if (e.IsTerminating)
            {
                DisposeAll();
            }
        };
        RemoveAbandoned();
    }

    /// <param name="purpose">A word for the folder's name.</param>
    /// <exception cref="IOException">There is no such place, or it cannot be written; the message names the variable that says where it is.</exception>
    public ScratchFolder(string purpose)
    {
        (Path, _mark) = Make($"{Prefix}{purpose}-");
        Standing[Path] = this;
    }

    public string Path { get; }

    /// <summary>Finds out now whether such a folder can be made, for work whose end needs one.</summary>
    /// <exception cref="IOException">None can be made; the message says why.</exception>
    public static void Check() => new ScratchFolder("check").Dispose();

    /// <summary>Removes what killed programs have left.</summary>
    public static void RemoveAbandoned() => FolderMark.RemoveAbandoned(System.IO.Path.GetTempPath(), Prefix);

    public void Dispose()
    {
        if (!Standing.TryRemove(Path, out _))
        {
            return;
        }
        try
        {
            FolderMark.RemoveFolder(Path, _mark);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A file still open elsewhere: the next program takes the rest.
        }
    }

    private static void DisposeAll()
    {
        foreach (ScratchFolder folder in Standing.Values)
        {
            folder.Dispose();
        }
    }

    private static (string Path, FolderMark? Mark) Make(string prefix)
    {
        string place = System.IO.Path.GetTempPath();
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return Marked(Directory.CreateTempSubdirectory(prefix).FullName);
            }
            catch (IOException) when (attempt < Attempts && Directory.Exists(place))
            {
                // A process that was clearing up took the new folder for an old one.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                string reason = Directory.Exists(place) ? e.Message.TrimEnd('.') : "there is no such folder";
                throw new IOException(
                    $"No temporary folder can be made in '{place}': {reason}. Set the environment variable {(OperatingSystem.IsWindows() ? "TMP" : "TMPDIR")} to a folder that is there and can be written.", e);
            }
        }
    }

    private static (string Path, FolderMark? Mark) Marked(string path)
    {
        try
        {
            return (path, FolderMark.Place(path));
        }
        catch
        {
            FolderMark.RemoveFolder(path, null);
            throw;
        }
    }
}
