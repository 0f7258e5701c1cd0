using System.Reflection;
using System.Text;
using Dsd.Common.Files;

namespace Dsd.Curation;

/// <summary>The texts that are sent to chat models: kept as files, so that they can be read and replaced without touching code.</summary>
public static class TextResource
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>The text of the file when one is given, else the text that is built in under that name.</summary>
    internal static string Read(string? file, string name) => file is null ? Embedded(name) : FromFile(file);

    internal static string Embedded(string name) => Manifest($"Dsd.Curation.Prompts.{name}");

    internal static string Manifest(string name) => Manifest(typeof(TextResource).Assembly, name);

    /// <summary>A text that is embedded in an assembly.</summary>
    /// <exception cref="InvalidOperationException">The assembly has none of this name.</exception>
    public static string Manifest(Assembly assembly, string name)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        using Stream stream = assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The text '{name}' is not embedded in {assembly.GetName().Name}: its project file must list it.");
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>A file's text, without its byte-order mark, up to 64 KB.</summary>
    /// <exception cref="InvalidDataException">It is too long, empty, or not UTF-8.</exception>
    public static string FromFile(string file)
    {
        string text = SmallFile.Text(file, MaxBytes, (expected, found) => new InvalidDataException($"File '{file}': expected {expected}, found {found}."));
        return string.IsNullOrWhiteSpace(text) ? throw new InvalidDataException($"File '{file}': expected a text, found only white space.") : text;
    }
}
