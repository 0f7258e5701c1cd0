using System.Text;

namespace Dsd.CommandLine;

/// <summary>Checks before a long computation that its result can be written, so that a fault shows at once.</summary>
public static class OutputFile
{
    // What the file systems in use allow for a name, in bytes.
    private const int MaxName = 255;
    private const string Probe = ".dsd-";

    /// <summary>A picture's path: it ends in <c>.png</c>, no folder stands there, and the folder above it takes files or can be made.</summary>
    /// <exception cref="UsageException">The path names another kind of picture.</exception>
    /// <exception cref="IOException">Nothing can be written there.</exception>
    public static void CheckPicture(string path)
    {
        if (!path.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"Pictures are written as PNG, so '{path}' should end in '.png'.");
        }
        CheckFile(path);
    }

    /// <summary>A file's path: no folder stands there, and the folder above it takes files or can be made.</summary>
    /// <exception cref="IOException">Nothing can be written there.</exception>
    public static void CheckFile(string path)
    {
        if (Directory.Exists(path) || Path.EndsInDirectorySeparator(path))
        {
            throw new IOException($"Cannot write '{path}': a folder stands there. Name a file in it.");
        }
        string whole = Path.GetFullPath(path);
        if (!OperatingSystem.IsWindows() && whole.StartsWith("/dev/", StringComparison.Ordinal) && !whole.StartsWith("/dev/shm/", StringComparison.Ordinal))
        {
            // A file that is moved there would take the device's place.
            throw new IOException($"Cannot write '{path}': expected the path of a file, found a device's. Choose another place.");
        }
        // Files are written under a longer name first.
        Check(path, Path.GetDirectoryName(whole)!, $"{Path.GetFileName(whole)}.{Guid.NewGuid():N}.part");
    }

    /// <summary>A folder's path: it takes files or can be made.</summary>
    /// <exception cref="IOException">Nothing can be written there.</exception>
    public static void CheckFolder(string path) => Check(path, Whole(path), $"{Probe}{Guid.NewGuid():N}");

    /// <summary>As <see cref="CheckFolder"/>, for a folder that is written beside its place and moved there: the folder above it takes others too.</summary>
    /// <exception cref="IOException">Nothing can be written there.</exception>
    public static void CheckMovedFolder(string path)
    {
        CheckFolder(path);
        string whole = Whole(path);
        if (Path.GetDirectoryName(whole) is { } above)
        {
            Check(path, above, $"{Path.GetFileName(whole)}.part-{Guid.NewGuid():N}");
        }
    }

    /// <summary>Whether a file is one by which a check here finds out whether a folder takes any: it is left where the process was killed.</summary>
    public static bool IsProbe(string path) => Path.GetFileName(path).StartsWith(Probe, StringComparison.Ordinal);

    private static string Whole(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    /// <summary>A folder that takes a file of this name, or the nearest one above it that does.</summary>
    private static void Check(string path, string folder, string name)
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
                $"Cannot write '{path}': the folder '{folder}' takes no files ({Printable.Line(e.Message).TrimEnd('.')}). Choose another place or "
                    + $"change its permissions.", e);
        }
    }

    private static void CheckName(string path, string name)
    {
        if (Encoding.UTF8.GetByteCount(name) > MaxName)
        {
            throw new IOException($"Cannot write '{Printable.Line(path, 400)}': a name in it is too long. Choose a shorter one.");
        }
    }
}
