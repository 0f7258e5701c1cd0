using Dsd.Common.Files;

namespace Dsd.CommandLine;

/// <summary>Checks before a long computation that a file named on the command line can be written, so that a fault shows at once.</summary>
public static class OutputFile
{
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
        WritablePlace.RequireFile(path);
    }
}
