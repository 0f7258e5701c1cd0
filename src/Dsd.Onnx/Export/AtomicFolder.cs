namespace Dsd.Onnx.Export;

/// <summary>A folder that appears whole or not at all.</summary>
internal static class AtomicFolder
{
    /// <summary>Fills a folder beside the target and renames it when all is written; after a failure nothing new is left.</summary>
    /// <param name="target">Where the folder shall stand.</param>
    /// <param name="mayReplace">Whether a folder that stands there now, and is not empty, may be replaced; throws if not.</param>
    /// <param name="fill">Writes the content into the folder that it is given.</param>
    public static void Write(string target, Action<string> mayReplace, Action<string> fill)
    {
        string whole = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        CheckTarget(whole, mayReplace);
        string half = $"{whole}.part-{Guid.NewGuid():N}";
        string[] missingParents = [.. MissingParents(whole)];
        bool done = false;
        try
        {
            Directory.CreateDirectory(half);
            fill(half);
            CheckTarget(whole, mayReplace);
            Replace(half, whole);
            done = true;
        }
        catch (Exception e) when (e is UnauthorizedAccessException || e is IOException && !Directory.Exists(half))
        {
            throw new IOException($"Cannot write the folder '{target}': {e.Message} Choose another place or change its permissions.", e);
        }
        finally
        {
            if (!done)
            {
                RemoveAll(half, missingParents);
            }
        }
    }

    private static void CheckTarget(string whole, Action<string> mayReplace)
    {
        if (File.Exists(whole))
        {
            throw new IOException($"Cannot write the folder '{whole}': a file stands there. Choose another place.");
        }
        if (Directory.Exists(whole) && Directory.EnumerateFileSystemEntries(whole).Any())
        {
            mayReplace(whole);
        }
    }

    private static void Replace(string half, string whole)
    {
        if (!Directory.Exists(whole))
        {
            Directory.Move(half, whole);
            return;
        }
        string old = $"{whole}.old-{Guid.NewGuid():N}";
        Directory.Move(whole, old);
        try
        {
            Directory.Move(half, whole);
        }
        catch
        {
            Directory.Move(old, whole);
            throw;
        }
        Directory.Delete(old, recursive: true);
    }

    /// <summary>Folders above the target that are not there yet, the deepest first.</summary>
    private static IEnumerable<string> MissingParents(string whole)
    {
        for (string? parent = Path.GetDirectoryName(whole); parent is not null && !Path.Exists(parent); parent = Path.GetDirectoryName(parent))
        {
            yield return parent;
        }
    }

    private static void RemoveAll(string half, string[] parents)
    {
        if (Directory.Exists(half))
        {
            Directory.Delete(half, recursive: true);
        }
        foreach (string parent in parents.Where(p => Directory.Exists(p) && !Directory.EnumerateFileSystemEntries(p).Any()))
        {
            Directory.Delete(parent);
        }
    }
}
