using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dsd.Common.Files;

namespace Dsd.Tools.Loop;

/// <summary>
/// What a stage reads, as a text that changes when it does. A small file counts by its content; a large one by its length and when it was written; a folder
/// by the names, lengths and times of its files. What an earlier stage wrote counts by when that stage was done.
/// </summary>
internal static class LoopInputs
{
    private const long MostHashed = 64L << 20;

    /// <summary>What a stage's result follows from: its arguments and inputs, and the inputs alone.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="stages">All stages of the run.</param>
    /// <param name="record">The record of another stage; null where it has none.</param>
    public static (string All, string Inputs) Fingerprint(LoopStage stage, IReadOnlyList<LoopStage> stages, Func<LoopStage, LoopRecord?> record)
    {
        StringBuilder text = new();
        foreach (string input in stage.Inputs)
        {
            LoopStage[] writers = [.. stages.Where(s => s != stage && (stage with { Inputs = [input] }).Reads(s))];
            text.Append(writers.Length > 0
                ? string.Join(',', writers.Select(w => record(w) is { Finished: { } at } done ? $"{done.Fingerprint} {at:O}" : "nothing yet"))
                : Of(input)).Append('\n');
        }
        string inputs = Hash(text.ToString());
        return (Hash($"{string.Join('\n', stage.Written)}\n{inputs}"), inputs);
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Of(string path)
    {
        if (File.Exists(path))
        {
            FileInfo file = new(path);
            return file.Length <= MostHashed ? FileHash.Of(path).Sha256 : Line(file, "");
        }
        if (!Directory.Exists(path))
        {
            return "nothing";
        }
        DirectoryInfo folder = new(path);
        return string.Join(
            ';',
            folder.EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 16 })
                .Select(f => Line(f, Path.GetRelativePath(path, f.FullName))).Order(StringComparer.Ordinal));
    }

    private static string Line(FileInfo file, string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{name}|{file.Length}|{file.LastWriteTimeUtc.Ticks}");
}
