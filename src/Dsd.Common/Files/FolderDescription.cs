using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsd.Common.Files;

/// <summary>Reads the JSON file that says what lies in a folder of <see cref="HashedFolder"/>'s kind, and checks that it lies there.</summary>
/// <param name="folder">The folder.</param>
/// <param name="fileName">The file's name.</param>
/// <param name="kind">What the folder is, for messages: 'an ONNX folder'.</param>
/// <param name="writer">What writes such folders, for messages: 'dsd export'.</param>
/// <param name="thing">What is to be exported again where something is wrong: 'the model'.</param>
/// <param name="fault">Makes an error of what it is in, what was expected and what was found.</param>
public sealed class FolderDescription(
    string folder, string fileName, string kind, string writer, string thing, Func<string, string, string, Exception> fault)
{
    /// <summary>The file's path.</summary>
    public string Path { get; } = System.IO.Path.Combine(folder, fileName);

    /// <summary>Reads the file. Its <c>format_version</c> comes first: another layout may lack what this one requires.</summary>
    /// <typeparam name="T">What it holds.</typeparam>
    /// <param name="version">The one version that is read.</param>
    /// <param name="mostBytes">The largest file that is read.</param>
    /// <param name="options">How it is read.</param>
    /// <returns>What it says, not checked beyond its types.</returns>
    public T Read<T>(int version, int mostBytes, JsonSerializerOptions options)
    {
        if (!File.Exists(Path))
        {
            throw fault(folder, $"{kind} with '{fileName}', as {writer} writes it", Directory.Exists(folder) ? "no such file in it" : "no such folder");
        }
        ReadOnlySpan<byte> json = SmallFile.Utf8(Path, mostBytes, (expected, found) => fault(Path, expected, found)).Span;
        try
        {
            int found = JsonSerializer.Deserialize<VersionOnly>(json, options)?.FormatVersion ?? 0;
            return found == version
                ? JsonSerializer.Deserialize<T>(json, options)!
                : throw fault(Path, $"format_version {version}", $"{found}. Export {thing} again with this version");
        }
        catch (JsonException e)
        {
            throw fault(Path, $"the description of {kind}", JsonFault.Of(e));
        }
    }

    /// <summary>Checks that each file has a hash, lies in the folder and nowhere else, and has its length. The hashes themselves are not compared.</summary>
    /// <param name="files">Lengths in bytes by paths with forward slashes.</param>
    /// <param name="sha256">SHA-256 by the same paths, in hexadecimal digits.</param>
    public void CheckFiles(IReadOnlyDictionary<string, long> files, IReadOnlyDictionary<string, string> sha256)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(sha256);
        string? without = files.Keys.FirstOrDefault(name => !FileHash.IsSha256(sha256.GetValueOrDefault(name)));
        if (without is not null || sha256.Count != files.Count)
        {
            string of = without ?? sha256.Keys.First(name => !files.ContainsKey(name));
            throw fault(
                Path, "a SHA-256 of 64 hexadecimal digits in 'sha256' for each of 'files', and no other", $"none such for '{of}', or no such file");
        }
        foreach ((string name, long length) in files)
        {
            // The folder is all that may be looked at: a description must not lead to other places.
            if (System.IO.Path.IsPathRooted(name) || name.Split('/', '\\').Contains(".."))
            {
                throw fault(Path, "files of its own folder", $"'{name}'");
            }
            FileInfo part = new(System.IO.Path.Combine(folder, name));
            if (!part.Exists || part.Length != length)
            {
                throw fault(
                    part.FullName, $"{length} bytes, as '{fileName}' says", $"{(part.Exists ? $"{part.Length}" : "no such file")}. Export {thing} again");
            }
        }
    }

    private sealed record VersionOnly
    {
        [JsonRequired]
        public int FormatVersion { get; init; }
    }
}
