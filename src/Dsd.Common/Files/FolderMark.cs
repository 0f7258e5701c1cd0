namespace Dsd.Common.Files;

/// <summary>
/// Says that a process works in a folder: a file inside that the process holds locked. The system lets go of it however the process ends,
/// so a folder whose mark nobody holds was left behind, and the next process may remove it.
/// </summary>
internal sealed class FolderMark
{
    public const string FileName = ".dsd-in-use";

    private readonly FileStream _held;

    private FolderMark(FileStream held) => _held = held;

    /// <summary>Marks a new folder; null where the file system keeps no locks, so that nobody takes the folder for one left behind.</summary>
    /// <exception cref="IOException">The folder cannot be written, or another process took it for one left behind in the moment before the lock.</exception>
    public static FolderMark? Place(string folder)
    {
        string file = Path.Combine(folder, FileName);
        FileStream held = new(file, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        try
        {
            if (IsHeld(file))
            {
                return new FolderMark(held);
            }
        }
        catch
        {
            held.Dispose();
            throw;
        }
        held.Dispose();
        File.Delete(file);
        return null;
    }

    /// <summary>Removes a folder with all that is in it, its mark last: what a failure leaves is still known for left behind.</summary>
    /// <exception cref="IOException">Something in it cannot be removed.</exception>
    public static void RemoveFolder(string folder, FolderMark? mark) => RemoveFolder(folder, mark?._held);

    /// <summary>
    /// Removes the folders that processes left behind in a parent: this user's own, no links, with a name that begins so and a mark that
    /// nobody holds.
    /// </summary>
    /// <remarks>What cannot be looked into or removed is left as it is: this is no reason to stop what the caller is about to do.</remarks>
    public static void RemoveAbandoned(string parent, string namesBeginWith)
    {
        try
        {
            foreach (string folder in Directory.GetDirectories(parent).Where(f => Path.GetFileName(f).StartsWith(namesBeginWith, StringComparison.Ordinal)))
            {
                TryRemove(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The parent is not there or cannot be read: whoever needs it says so.
        }
    }

    private static void TryRemove(string folder)
    {
        string file = Path.Combine(folder, FileName);
        try
        {
            if (!FileOwner.IsOwnFolder(folder) || !File.Exists(file))
            {
                return;
            }
            using FileStream taken = new(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            // Where locks are not kept, a mark that opens says nothing.
            if (IsHeld(file))
            {
                RemoveFolder(folder, taken);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Held: a process works in it. Or another one is removing it at this moment.
        }
    }

    private static void RemoveFolder(string folder, FileStream? held)
    {
        using (held)
        {
            DirectoryInfo whole = new(folder);
            foreach (FileSystemInfo entry in whole.Exists ? whole.GetFileSystemInfos() : [])
            {
                // Of a link the link itself goes, never what it leads to.
                if (entry is DirectoryInfo inner)
                {
                    inner.Delete(recursive: true);
                }
                else if (entry.Name != FileName)
                {
                    entry.Delete();
                }
            }
            // Before the lock is let go of: a process that has just made this folder and waits for the lock must not get it.
            // Windows has no such moment, and does not delete what is open.
            if (!OperatingSystem.IsWindows() && whole.Exists)
            {
                File.Delete(Path.Combine(folder, FileName));
            }
        }
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process has seen the mark without its holder and was quicker.
        }
    }

    private static bool IsHeld(string file)
    {
        try
        {
            using FileStream second = new(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (FileNotFoundException e)
        {
            throw new IOException($"'{file}' was removed a moment after it was made.", e);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException)
        {
            return true;
        }
    }
}
