using System.Globalization;

namespace Dsd.Dataset.Formats;

/// <summary>Names of a split's files, which say how many there are: known when all are written only, so they are written under other names first.</summary>
internal static class ShardNames
{
    /// <summary>A file's name while there may be more.</summary>
    public static string Open(string folder, int shard, string extension) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"train-{shard:00000}{extension}"));

    /// <summary>Gives the files their names.</summary>
    /// <returns>How many there are, and their size.</returns>
    public static (long Files, long Bytes) Close(string folder, int count, string extension)
    {
        long bytes = 0;
        for (int i = 0; i < count; i++)
        {
            string name = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"train-{i:00000}-of-{count:00000}{extension}"));
            File.Move(Open(folder, i, extension), name);
            bytes += new FileInfo(name).Length;
        }
        return (count, bytes);
    }
}
