namespace Dsd.Common.Files;

/// <summary>A folder that appears whole or not at all.</summary>
public static class AtomicFolder
{
    /// <summary>
    /// Fills a folder beside the target and renames it when all is written; after a failure nothing new is left. What a process that was killed
    /// had begun for this target is removed first.
    /// </summary>
    /// <param name="target">The folder. The folders above it are made if need be.</param>
    /// <param name="mayReplace">Is given a folder that stands there now and is not empty; throws if it must not be replaced.</param>
    /// <param name="fill">Writes the content into the folder that it is given.</param>
    /// <exception cref="IOException">A file stands at the target, or the folder cannot be made or written; the message names the target.</exception>
    public static void Write(string target, Action<string> mayReplace, Action<string> fill)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        ArgumentNullException.ThrowIfNull(mayReplace);
        ArgumentNullException.ThrowIfNull(fill);
        string whole = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        CheckTarget(whole, mayReplace);
        string parts = $"{whole}.part-";
        string working = $"{parts}{Guid.NewGuid():N}";
        // Within the marked folder, so that the mark is never among the content.
        string half = Path.Combine(working, "content");
        string[] newFolders = NewFolders.Above(whole);
        FolderMark.RemoveAbandoned(Path.GetDirectoryName(whole) ?? whole, Path.GetFileName(parts));
        FolderMark? mark = null;
        bool done = false;
        try
        {
            Directory.CreateDirectory(working);
            mark = FolderMark.Place(working);
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
            FolderMark.RemoveFolder(working, mark);
            if (!done)
            {
                NewFolders.RemoveEmpty(newFolders);
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
}
