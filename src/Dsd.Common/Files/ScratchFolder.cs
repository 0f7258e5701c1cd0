using System.Collections.Concurrent;

namespace Dsd.Common.Files;

/// <summary>
/// A temporary folder that is removed when it is disposed of, at the latest when the program ends. What a killed program leaves
/// is removed by the next program that makes such a folder.
/// </summary>
public sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "dsd-";
    private const int Attempts = 5;
    private static readonly ConcurrentDictionary<string, ScratchFolder> Standing = new();
    private static readonly ConcurrentDictionary<string, bool> Others = new();
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

    /// <summary>Makes a new folder, for this user alone.</summary>
    /// <param name="purpose">A word for the folder's name.</param>
    /// <param name="above">The folder that it is made in. Null, the default: that of the system's temporary files.</param>
    /// <exception cref="IOException">
    /// There is no folder for temporary files, or it cannot be written; the message names the variable that says where it is.
    /// </exception>
    public ScratchFolder(string purpose, string? above = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(purpose);
        if (above is not null && Others.TryAdd(above, true))
        {
            FolderMark.RemoveAbandoned(above, Prefix);
        }
        (Path, _mark) = Make($"{Prefix}{purpose}-", above);
        Standing[Path] = this;
    }

    /// <summary>Where the folder is.</summary>
    public string Path { get; }

    /// <summary>Finds out now whether such a folder can be made, before work that will need one.</summary>
    /// <param name="above">The folder that it would be made in. Null, the default: that of the system's temporary files.</param>
    /// <exception cref="IOException">None can be made; the message says why.</exception>
    public static void Require(string? above = null) => new ScratchFolder("check", above).Dispose();

    /// <summary>Removes the folders that killed programs have left.</summary>
    public static void RemoveAbandoned() => FolderMark.RemoveAbandoned(System.IO.Path.GetTempPath(), Prefix);

    /// <summary>Removes the folder with all that is in it. A file that is still open elsewhere stays until the next program starts.</summary>
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

    private static (string Path, FolderMark? Mark) Make(string prefix, string? above)
    {
        string place = above ?? System.IO.Path.GetTempPath();
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return Marked(above is null ? Directory.CreateTempSubdirectory(prefix).FullName : MakeIn(above, prefix));
            }
            catch (IOException) when (attempt < Attempts && Directory.Exists(place))
            {
                // A process that was clearing up took the new folder for an old one.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                string reason = Directory.Exists(place) ? e.Message.TrimEnd('.') : "there is no such folder";
                string variable = OperatingSystem.IsWindows() ? "TMP" : "TMPDIR";
                throw new IOException(
                    $"No temporary folder can be made in '{place}': {reason}. "
                    + (above is null ? $"Set the environment variable {variable} to a folder that is there and can be written." : "Name another folder."),
                    e);
            }
        }
    }

    private static string MakeIn(string above, string prefix)
    {
        if (!Directory.Exists(above))
        {
            throw new DirectoryNotFoundException($"There is no folder '{above}'.");
        }
        string path = System.IO.Path.Combine(System.IO.Path.GetFullPath(above), $"{prefix}{Guid.NewGuid():N}");
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        return path;
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
