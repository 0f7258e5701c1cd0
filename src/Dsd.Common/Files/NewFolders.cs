namespace Dsd.Common.Files;

/// <summary>The folders that a write has to make on its way, so that they go again if it fails.</summary>
internal static class NewFolders
{
    /// <summary>Folders above a path that are not there yet, the deepest first.</summary>
    public static string[] Above(string path)
    {
        List<string> missing = [];
        for (string? parent = Path.GetDirectoryName(path); parent is not null && !Path.Exists(parent); parent = Path.GetDirectoryName(parent))
        {
            missing.Add(parent);
        }
        return [.. missing];
    }

    /// <summary>Removes those that hold nothing: another write may have used them meanwhile.</summary>
    public static void RemoveEmpty(string[] folders)
    {
        foreach (string folder in folders.Where(f => Directory.Exists(f) && !Directory.EnumerateFileSystemEntries(f).Any()))
        {
            Directory.Delete(folder);
        }
    }
}
