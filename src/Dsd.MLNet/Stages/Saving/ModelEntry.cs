using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML;

namespace Dsd.MLNet.Stages.Saving;

/// <summary>How a fitted stage stands in a saved ML.NET model: a version, its options as JSON, and streams of bytes.</summary>
internal static class ModelEntry
{
    private static readonly JsonSerializerOptions Json = new()
    {
        // An option that this version does not know would be accepted and then ignored.
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(), new GridLayoutConverter() },
    };

    /// <summary>The version of an entry.</summary>
    /// <param name="signature">Exactly 8 characters, the same for all versions.</param>
    /// <param name="loader">At most 24 Latin-1 characters, the name that the class is registered under.</param>
    public static VersionInfo Version(string signature, string loader) => new(
        modelSignature: signature,
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        // The simple name: with the full one a model saved by a newer version of the assembly would not be found.
        loaderAssemblyName: typeof(ModelEntry).Assembly.GetName().Name!,
        loaderSignature: loader);

    public static void Save<TOptions>(ModelSaveContext context, VersionInfo version, TOptions options)
    {
        context.CheckAtModel();
        context.SetVersionInfo(version);
        context.SaveNonEmptyString(JsonSerializer.Serialize(options, Json));
    }

    /// <exception cref="InvalidDataException">The options cannot be read.</exception>
    public static TOptions Load<TOptions>(ModelLoadContext context, VersionInfo version)
    {
        context.CheckAtModel(version);
        string json = context.LoadNonEmptyString();
        try
        {
            return JsonSerializer.Deserialize<TOptions>(json, Json) ?? throw new InvalidDataException($"Saved model: expected {typeof(TOptions).Name}, found null.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"Saved model: the {typeof(TOptions).Name} in it cannot be read: {e.Message}", e);
        }
    }

    public static void SaveBytes(ModelSaveContext context, string name, byte[] bytes) => context.SaveBinaryStream(name, writer =>
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    });

    /// <exception cref="InvalidDataException">The stream is missing or shorter than it says.</exception>
    public static byte[] LoadBytes(ModelLoadContext context, string name)
    {
        byte[]? bytes = null;
        context.TryLoadBinaryStream(name, reader =>
        {
            int length = reader.ReadInt32();
            // Read as it comes: a length that lies costs no more memory than there are bytes.
            using MemoryStream content = new();
            reader.BaseStream.CopyTo(content);
            bytes = content.Length == length ? content.ToArray() : throw new InvalidDataException($"Saved model: entry '{name}' should hold {length} bytes, but holds {content.Length}.");
        });
        return bytes ?? throw new InvalidDataException($"Saved model: entry '{name}' is missing.");
    }
}
