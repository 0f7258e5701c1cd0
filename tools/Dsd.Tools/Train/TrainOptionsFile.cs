using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dsd.Common.Files;
using Dsd.Models.Families;
using Dsd.Models.Training;

namespace Dsd.Tools.Train;

/// <summary>
/// A file with options of <c>dsd train</c>, JSON or YAML: those of the library by their names, and beside them those of <see cref="TrainRunOptions"/>.
/// </summary>
internal sealed class TrainOptionsFile
{
    // A page of options has a few thousand.
    private const int MostBytes = 1 << 20;

    private readonly JsonObject _own;

    private TrainOptionsFile(string path, JsonObject own, TrainRunOptions run) => (Path, _own, Run) = (path, own, run);

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
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
    };

    // The library's options, and the others' names and kinds: who reads so knows each member of a file.
    private static readonly JsonSerializerOptions Both = new(Json)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { AddRunOptions } },
    };

    private static readonly JsonSerializerOptions RunAlone = new(Json) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip };

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What it holds beside the library's options.</summary>
    public TrainRunOptions Run { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file. One that ends in <c>.yaml</c> or <c>.yml</c> is YAML.</param>
    /// <exception cref="UsageException">The file is no such text, has an unknown member or a value that is not allowed; the message names both.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static TrainOptionsFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"Options file '{path}': there is no such file.");
        }
        bool yaml = System.IO.Path.GetExtension(path).ToLowerInvariant() is ".yaml" or ".yml";
        UsageException Refusal(string expected, string found) => new($"Options file '{path}': expected {expected}, found {found}.");
        string text = SmallFile.Text(path, MostBytes, Refusal);
        try
        {
            string json = yaml ? YamlText.ToJson(text) : text;
            // Alone first: then places in a message are those of the file.
            _ = JsonSerializer.Deserialize<LoraTrainingOptions>(json, Both) ?? throw new UsageException($"Options file '{path}': found null, no options.");
            TrainRunOptions run = JsonSerializer.Deserialize<TrainRunOptions>(json, RunAlone)!;
            JsonObject own = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions
            {
                AllowTrailingCommas = true,
                CommentHandling = JsonCommentHandling.Skip,
            })!.AsObject();
            foreach (JsonPropertyInfo member in RunMembers())
            {
                own.Remove(member.Name);
            }
            Check(path, own);
            string folder = System.IO.Path.GetDirectoryName(path) ?? "";
            string? Beside(string? named) => named is null ? null : Plain(System.IO.Path.Combine(folder, named));
            foreach (string name in new[] { nameof(LoraTrainingOptions.CacheFolder), nameof(LoraTrainingOptions.InitialAdapterFile) })
            {
                if (own[name] is JsonValue named)
                {
                    own[name] = Beside(named.GetValue<string>());
                }
            }
            return new TrainOptionsFile(path, own, run with
            {
                Model = run.Model is { } model && ModelPresets.Find(model) is null ? Beside(model) : run.Model,
                Pairs = [.. run.Pairs.Select(p => Beside(p)!)],
                Out = Beside(run.Out),
                Validate = Beside(run.Validate),
                SampleReference = Beside(run.SampleReference),
            });
        }
        catch (JsonException e)
        {
            throw new UsageException($"Options file '{path}': expected options of training in {(yaml ? "YAML" : "JSON")}, found {JsonFault.Of(e)}.", e);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"Options file '{path}': {ErrorText.OneLine(e)}", e);
        }
    }

    /// <summary>The library's options of the file over others: members that it does not have stay.</summary>
    /// <exception cref="UsageException">Two of them contradict each other.</exception>
    public LoraTrainingOptions Over(LoraTrainingOptions defaults)
    {
        JsonObject all = JsonSerializer.SerializeToNode(defaults, Json)!.AsObject();
        if (_own.ContainsKey(nameof(defaults.Adapter)))
        {
            // It describes a new adapter, whatever the model's preset goes on from.
            all.Remove(nameof(defaults.InitialAdapterFile));
        }
        foreach ((string name, JsonNode? value) in _own)
        {
            all[name] = value?.DeepClone();
        }
        try
        {
            return all.Deserialize<LoraTrainingOptions>(Json)!;
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"Options file '{Path}': {ErrorText.OneLine(e)}", e);
        }
    }

    private static IList<JsonPropertyInfo> RunMembers() => Json.GetTypeInfo(typeof(TrainRunOptions)).Properties;

    private static void AddRunOptions(JsonTypeInfo type)
    {
        foreach (JsonPropertyInfo member in type.Type == typeof(LoraTrainingOptions) ? RunMembers() : [])
        {
            JsonPropertyInfo known = type.CreateJsonPropertyInfo(member.PropertyType, member.Name);
            // Only its kind is looked at here.
            known.Set = (_, _) => { };
            type.Properties.Add(known);
        }
    }

    /// <summary>The same path without steps up and down, for messages.</summary>
    private static string Plain(string path) =>
        System.IO.Path.IsPathRooted(path) ? System.IO.Path.GetFullPath(path) : System.IO.Path.GetRelativePath(".", path);

    private static void Check(string path, JsonObject own)
    {
        if (own.ContainsKey(nameof(LoraTrainingOptions.CheckpointFolder)))
        {
            throw new UsageException(
                $"Options file '{path}': {nameof(LoraTrainingOptions.CheckpointFolder)} is decided by '--out'. Take it out of the file.");
        }
        if (own.ContainsKey(nameof(LoraTrainingOptions.Adapter)) && own[nameof(LoraTrainingOptions.InitialAdapterFile)] is not null)
        {
            throw new UsageException(
                $"Options file '{path}': {nameof(LoraTrainingOptions.Adapter)} describes a new adapter, and {nameof(LoraTrainingOptions.InitialAdapterFile)} "
                    + "names one to continue from. Keep one of them.");
        }
    }
}
