namespace Dsd.Imaging;

/// <summary>Files that appear whole or not at all.</summary>
public static class AtomicFile
{
    /// <summary>Writes beside the path and renames when all is written and flushed; after a failure nothing new is left.</summary>
    /// <param name="path">Where the file shall stand. Its folder is made if need be; a file already there is replaced.</param>
    /// <param name="write">Writes the content to the stream.</param>
    /// <exception cref="IOException">The folder cannot be made or written; the message names it.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string whole = Path.GetFullPath(path);
        string half = $"{whole}.{Guid.NewGuid():N}.part";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(whole)!);
            using (FileStream stream = new(half, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(half, whole, overwrite: true);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"Cannot write '{path}': the folder or file is read-only ({e.Message}). Choose another place or change its permissions.", e);
        }
        finally
        {
            File.Delete(half);
        }
    }
}
