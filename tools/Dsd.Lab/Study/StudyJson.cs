using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Files;

namespace Dsd.Lab.Study;

/// <summary>The study's JSON files: names in snake case, unknown fields refused, written whole or not at all.</summary>
internal static class StudyJson
{
    private const long MostBytes = 64_000_000;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>Reads a file; the message of what it throws names file and field.</summary>
    /// <param name="file">The file.</param>
    /// <param name="expected">What it should hold, and what to do if it does not.</param>
    public static T Load<T>(string file, string expected)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(
                SmallFile.Utf8(file, MostBytes, (wanted, found) => new JsonException($"{found} where {wanted} is wanted")).Span, Options)
                ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new JsonException($"'{file}': expected {expected}. Found: {(e is JsonException json ? JsonFault.Of(json) : e.Message)}");
        }
    }

    public static void Save<T>(string file, T value) => AtomicFile.Write(file, stream =>
    {
        JsonSerializer.Serialize(stream, value, Options);
        stream.WriteByte((byte)'\n');
    });

    public static string Text<T>(T value) => JsonSerializer.Serialize(value, Options);
}
