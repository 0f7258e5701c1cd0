using System.Text.RegularExpressions;

namespace Dsd.Common.Files;

/// <summary>Files that appear whole or not at all.</summary>
public static partial class AtomicFile
{
    /// <summary>Writes beside the path and renames when all is written and flushed; after a failure nothing new is left, no folder either.</summary>
    /// <param name="path">The file. Its folder is made if need be; a file that is there is replaced.</param>
    /// <param name="write">Writes the content to the stream. What it throws comes through unchanged.</param>
    /// <exception cref="IOException">The folder cannot be made or written, or a folder stands at the path; the message names the path.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string whole = Path.GetFullPath(path);
        string half = $"{whole}.{Guid.NewGuid():N}.part";
        string[] newFolders = NewFolders.Above(whole);
        bool done = false;
        try
        {
            using (FileStream stream = Placed(path, () => Create(half)))
            {
                write(stream);
                Placed(path, () => stream.Flush(flushToDisk: true));
            }
            Placed(path, () => File.Move(half, whole, overwrite: true));
            done = true;
        }
        finally
        {
            if (!done)
            {
                // Asked first, since deleting below a folder that is none would hide the fault itself.
                if (File.Exists(half))
                {
                    File.Delete(half);
                }
                NewFolders.RemoveEmpty(newFolders);
            }
        }
    }

    /// <summary>Whether a path is that of a file which <see cref="Write"/> had not finished: its writer is at work, or was killed.</summary>
    public static bool IsHalfWritten(string path) => HalfName().IsMatch(Path.GetFileName(path));

    /// <summary>Removes what writers that were killed had begun. Call it only where nobody else writes now.</summary>
    /// <param name="folder">The folder; nothing happens where there is none.</param>
    /// <param name="names">Which files' halves, with * and ?.</param>
    /// <param name="inner">Whether folders within the folder are looked into.</param>
    /// <exception cref="IOException">A file cannot be removed.</exception>
    public static void RemoveHalfWritten(string folder, string names = "*", bool inner = false)
    {
        SearchOption depth = inner ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly;
        foreach (string half in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, $"{names}.*.part", depth).Where(IsHalfWritten) : [])
        {
            File.Delete(half);
        }
    }

    [GeneratedRegex(@"\.[0-9a-f]{32}\.part\z", RegexOptions.CultureInvariant)]
    private static partial Regex HalfName();

    private static FileStream Create(string half)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(half)!);
        return new FileStream(half, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
    }

    private static void Placed(string path, Action act) => Placed(path, () =>
    {
        act();
        return true;
    });

    /// <summary>Does a step of the writing, and names the place where that cannot be done.</summary>
    private static T Placed<T>(string path, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IOException($"Cannot write '{path}': {e.Message.TrimEnd('.')}. Choose another place or change its permissions.", e);
        }
    }
}
