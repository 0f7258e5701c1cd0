namespace Dsd.Architecture.Tests;

/// <summary>Files that are made from the code and kept beside it.</summary>
internal static class Accepted
{
    /// <summary>Fails unless the file holds this text; with <c>DSD_ACCEPT=1</c> it is written instead.</summary>
    public static void Compare(string file, string text)
    {
        text = text.ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("DSD_ACCEPT") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
        string kept = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        if (kept == text)
        {
            return;
        }
        string[] before = kept.Split('\n'), now = text.Split('\n');
        IEnumerable<string> changes = before.Except(now).Select(l => $"- {l}").Concat(now.Except(before).Select(l => $"+ {l}")).Take(20);
        Assert.Fail($"{file} is not what the code is. If that is meant, run these tests with DSD_ACCEPT=1.\n{string.Join('\n', changes)}");
    }
}
