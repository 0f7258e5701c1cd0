namespace Dsd.Tools;

/// <summary>Checks before a long computation that its result can be written: one would rather hear of it at once.</summary>
internal static class OutputFile
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
        if (Directory.Exists(path))
        {
            throw new IOException($"Cannot write '{path}': a folder stands there. Name a file in it.");
        }
        CheckFolder(path, Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>A folder's path: it takes files or can be made.</summary>
    /// <exception cref="IOException">Nothing can be written there.</exception>
    public static void CheckFolder(string path) => CheckFolder(path, Path.GetFullPath(path));

    /// <summary>A folder that takes files, or the nearest one above it that does.</summary>
    private static void CheckFolder(string path, string folder)
    {
        while (!Directory.Exists(folder))
        {
            if (File.Exists(folder))
            {
                throw new IOException($"Cannot write '{path}': '{folder}' is a file, no folder. Choose another place.");
            }
            folder = Path.GetDirectoryName(folder) ?? throw new IOException($"Cannot write '{path}': there is no folder above it.");
        }
        try
        {
            using FileStream probe = new(Path.Combine(folder, $".dsd-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IOException($"Cannot write '{path}': the folder '{folder}' takes no files ({Printable.Line(e.Message).TrimEnd('.')}). Choose another place or change its permissions.", e);
        }
    }
}
