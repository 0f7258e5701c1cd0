namespace Dsd.Common.Files;

/// <summary>Finds out whether a result can be written, before the work that makes it.</summary>
public static class WritablePlace
{
    /// <summary>Refuses a path beside which nothing can be made. What is made to find out is removed again.</summary>
    /// <param name="path">The file or folder that is to be written. The folders above it need not exist.</param>
    /// <exception cref="IOException">Nothing can be made there; the message names the path.</exception>
    public static void Require(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string whole = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string probe = $"{whole}.{Guid.NewGuid():N}.probe";
        string[] newFolders = NewFolders.Above(whole);
        try
        {
            Directory.CreateDirectory(probe);
            Directory.Delete(probe);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IOException($"Cannot write '{path}': {e.Message} Choose another place or change its permissions.", e);
        }
        finally
        {
            NewFolders.RemoveEmpty(newFolders);
        }
    }
}
