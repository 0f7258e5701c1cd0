using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dsd.Common.Files;
using Dsd.Models.Training;

namespace Dsd.Tools.Train;

/// <summary>The training options as JSON: a file that a user writes, and what stands of them in a run's folder.</summary>
internal static class TrainOptionsFile
{
    /// <summary>How options are read and written: by the library's names, comments allowed, unknown and repeated members refused.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        AllowDuplicateProperties = false,
        // A file's author may write an optimiser's kind anywhere.
        AllowOutOfOrderMetadataProperties = true,
        AllowTrailingCommas = true,
        Converters = { new JsonStringEnumConverter() },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        ReadCommentHandling = JsonCommentHandling.Skip,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
    };

    /// <summary>Reads a file over other options: members that it does not have stay.</summary>
    /// <param name="file">The file.</param>
    /// <param name="defaults">The options without it.</param>
    /// <exception cref="UsageException">The file is no such JSON, has an unknown member or a value that is not allowed; the message names both.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LoraTrainingOptions Read(string file, LoraTrainingOptions defaults)
    {
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"Options file '{file}': there is no such file.");
        }
        string text = File.ReadAllText(file);
        try
        {
            // Alone first: then places in a message are those of the file.
            _ = JsonSerializer.Deserialize<LoraTrainingOptions>(text, Json) ?? throw new UsageException($"Options file '{file}': found null, no options.");
            JsonObject own = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions
            {
                AllowTrailingCommas = true,
                CommentHandling = JsonCommentHandling.Skip,
            })!.AsObject();
            Check(file, own);
            JsonObject all = JsonSerializer.SerializeToNode(defaults, Json)!.AsObject();
            if (own.ContainsKey(nameof(defaults.Adapter)))
            {
                // It describes a new adapter, whatever the model's preset goes on from.
                all.Remove(nameof(defaults.InitialAdapterFile));
            }
            foreach ((string name, JsonNode? value) in own)
            {
                all[name] = value?.DeepClone();
            }
            return all.Deserialize<LoraTrainingOptions>(Json)!;
        }
        catch (JsonException e)
        {
            throw new UsageException($"Options file '{file}': expected options of training in JSON, found {JsonFault.Of(e)}.", e);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"Options file '{file}': {ErrorText.OneLine(e)}", e);
        }
    }

    private static void Check(string file, JsonObject own)
    {
        if (own.ContainsKey(nameof(LoraTrainingOptions.CheckpointFolder)))
        {
            throw new UsageException(
                $"Options file '{file}': {nameof(LoraTrainingOptions.CheckpointFolder)} is decided by '--out'. Take it out of the file.");
        }
        if (own.ContainsKey(nameof(LoraTrainingOptions.Adapter)) && own[nameof(LoraTrainingOptions.InitialAdapterFile)] is not null)
        {
            throw new UsageException(
                $"Options file '{file}': {nameof(LoraTrainingOptions.Adapter)} describes a new adapter, and {nameof(LoraTrainingOptions.InitialAdapterFile)} "
                    + "names one to continue from. Keep one of them.");
        }
    }
}
