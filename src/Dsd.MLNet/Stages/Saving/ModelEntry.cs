using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Onnx.Runtime;
using Microsoft.ML;

namespace Dsd.MLNet.Stages.Saving;

/// <summary>How a fitted stage stands in a saved ML.NET model: a version, its options as JSON, and streams of bytes.</summary>
internal static class ModelEntry
{
    private static readonly JsonSerializerOptions Json = new()
    {
        // An option that this version does not know would be accepted and then ignored.
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        // Names are what a record calls its members, but not how it writes them.
        PropertyNameCaseInsensitive = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutWhatTheStageSets } },
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false), new GridLayoutConverter() },
    };

    /// <summary>The version of an entry.</summary>
    /// <param name="signature">Exactly 8 characters, the same for all versions.</param>
    /// <param name="loader">At most 24 Latin-1 characters, the name that the class is registered under.</param>
    /// <param name="form">Which form the options have, from 1: earlier ones are read too.</param>
    public static VersionInfo Version(string signature, string loader, uint form) => new(
        modelSignature: signature,
        verWrittenCur: 0x00010000 + form,
        verReadableCur: 0x00010000 + form,
        verWeCanReadBack: 0x00010001,
        // The simple name: with the full one a model saved by a newer version of the assembly would not be found.
        loaderAssemblyName: typeof(ModelEntry).Assembly.GetName().Name!,
        loaderSignature: loader);

    public static void Save<TOptions>(ModelSaveContext context, VersionInfo version, TOptions options)
    {
        context.CheckAtModel();
        context.SetVersionInfo(version);
        context.SaveNonEmptyString(Text(options));
    }

    /// <summary>Reads the options of a saved stage.</summary>
    /// <param name="context">The entry.</param>
    /// <param name="version">Its version.</param>
    /// <param name="upgrade">Brings options of an earlier form into today's. Null where there was no other.</param>
    /// <exception cref="InvalidDataException">The options cannot be read.</exception>
    public static TOptions Load<TOptions>(ModelLoadContext context, VersionInfo version, Action<JsonObject>? upgrade = null)
    {
        context.CheckAtModel(version);
        return Read<TOptions>(context.LoadNonEmptyString(), upgrade);
    }

    /// <summary>Options as they stand in a saved model.</summary>
    internal static string Text<TOptions>(TOptions options) => JsonSerializer.Serialize(options, Json);

    /// <exception cref="InvalidDataException">The options cannot be read.</exception>
    internal static TOptions Read<TOptions>(string json, Action<JsonObject>? upgrade = null)
    {
        try
        {
            JsonNode node = JsonNode.Parse(json) ?? throw new InvalidDataException($"Saved model: expected {typeof(TOptions).Name}, found null.");
            upgrade?.Invoke(node.AsObject());
            return node.Deserialize<TOptions>(Json)!;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException($"Saved model: the {typeof(TOptions).Name} in it cannot be read: {e.Message}", e);
        }
    }

    /// <summary>A stage and its options in words that are the same where the same rows give the same values.</summary>
    public static string Description<TOptions>(string stage, TOptions options, LoraWeights? adapter = null) =>
        $"{stage} {Text(options)} {adapter?.Fingerprint}";

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
            bytes = content.Length == length
                ? content.ToArray()
                : throw new InvalidDataException($"Saved model: entry '{name}' should hold {length} bytes, but holds {content.Length}.");
        });
        return bytes ?? throw new InvalidDataException($"Saved model: entry '{name}' is missing.");
    }

    /// <summary>The device and what warnings go to belong to the running stage, and cannot be saved.</summary>
    private static void LeaveOutWhatTheStageSets(JsonTypeInfo type)
    {
        if (type.Type != typeof(PipelineOptions) && type.Type != typeof(TrainingBase) && type.Type != typeof(OnnxRuntimeOptions))
        {
            return;
        }
        foreach (JsonPropertyInfo property in type.Properties.Where(
            p => p.Name is nameof(PipelineOptions.Device) or nameof(PipelineOptions.Warn) or nameof(OnnxRuntimeOptions.Providers)).ToArray())
        {
            type.Properties.Remove(property);
        }
    }
}
