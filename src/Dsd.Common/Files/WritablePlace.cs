using System.Text;

namespace Dsd.Common.Files;

/// <summary>
/// Finds out whether a result can be written, before the work that makes it. No folder is made to find out: another process may be about to use it, and
/// taking it away again would take it from both.
/// </summary>
public static class WritablePlace
{
    // What the file systems in use allow for a name, in bytes.
    private const int MaxName = 255;
    private const string Probe = ".dsd-";

    /// <summary>A file's path: the folder above it takes files or can be made.</summary>
    /// <param name="path">The file. It may be there.</param>
    /// <exception cref="IOException">Nothing can be written there; the message names the path.</exception>
    public static void RequireFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string whole = Whole(path);
        // Files are written under a longer name first.
        Require(path, Path.GetDirectoryName(whole) ?? whole, $"{Path.GetFileName(whole)}.{Guid.NewGuid():N}.part");
    }

    /// <summary>A folder's path: it takes files or can be made.</summary>
    /// <param name="path">The folder. It may be there.</param>
    /// <exception cref="IOException">Nothing can be written there; the message names the path.</exception>
    public static void RequireFolder(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Require(path, Whole(path), $"{Probe}{Guid.NewGuid():N}");
    }

    /// <summary>As <see cref="RequireFolder"/>, for a folder that is written beside its place and moved there: the folder above it takes others too.</summary>
    /// <param name="path">The folder. It may be there.</param>
    /// <exception cref="IOException">Nothing can be written there; the message names the path.</exception>
    public static void RequireMovedFolder(string path)
    {
        RequireFolder(path);
        string whole = Whole(path);
        if (Path.GetDirectoryName(whole) is { } above)
        {
            Require(path, above, $"{Path.GetFileName(whole)}.part-{Guid.NewGuid():N}");
        }
    }

    /// <summary>Whether a file is one by which a check here finds out whether a folder takes any: it is left where the process was killed.</summary>
    public static bool IsProbe(string path) => Path.GetFileName(path).StartsWith(Probe, StringComparison.Ordinal);

    private static string Whole(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    /// <summary>A folder that takes a file of this name, or the nearest one above it that does.</summary>
    private static void Require(string path, string folder, string name)
    {
        while (!Directory.Exists(folder))
        {
            if (File.Exists(folder))
            {
                throw new IOException($"Cannot write '{path}': '{folder}' is a file, no folder. Choose another place.");
            }
            CheckName(path, name);
            name = Path.GetFileName(folder);
            folder = Path.GetDirectoryName(folder) ?? throw new IOException($"Cannot write '{path}': there is no folder above it.");
        }
        CheckName(path, name);
        try
        {
            using FileStream probe = new(
                Path.Combine(folder, $"{Probe}{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IOException(
                $"Cannot write '{path}': the folder '{folder}' takes no files ({e.Message.TrimEnd('.')}). Choose another place or change its permissions.", e);
        }
    }

    private static void CheckName(string path, string name)
    {
        if (Encoding.UTF8.GetByteCount(name) > MaxName)
        {
            throw new IOException($"Cannot write '{(path.Length > 400 ? path[..400] + "…" : path)}': a name in it is too long. Choose a shorter one.");
        }
    }
}
