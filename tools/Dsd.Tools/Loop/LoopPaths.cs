using System.CommandLine;
using Dsd.Models.Families;

namespace Dsd.Tools.Loop;

/// <summary>Which values of options are paths: what the help says of the option, such as <c>FOLDER|tiny</c> or <c>NAME|FILE.json</c>.</summary>
internal static class LoopPaths
{
    /// <summary>Whether a value is a path, and no word that stands for something else.</summary>
    public static bool IsPath(Option option, string value)
    {
        string[] forms = (option.HelpName ?? "").Split('|');
        if (!forms.Any(IsPathForm) || forms.Contains(value) || ModelPresets.Find(value) is not null)
        {
            return false;
        }
        // A name, unless it looks like a file's.
        return forms.All(f => IsPathForm(f) || f.Any(char.IsLower)) || Path.HasExtension(value) || value.Contains('/') || value.Contains('\\');
    }

    /// <summary>A path without the strength behind it: <c>FILE[:SCALE]</c>.</summary>
    public static string WithoutStrength(string path)
    {
        int colon = path.LastIndexOf(':');
        return colon > 1 && !Path.Exists(path) && Number.TryRead(path[(colon + 1)..], out double _) ? path[..colon] : path;
    }

    private static bool IsPathForm(string form) =>
        form.Contains("FILE", StringComparison.Ordinal) || form.Contains("FOLDER", StringComparison.Ordinal);
}
