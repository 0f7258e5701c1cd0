using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Curation.Judging;

namespace Dsd.Curation.Chat;

/// <summary>Which chat models write prompts, judge pairs and caption panels, and what they may spend: one JSON file (docs/curation.md).</summary>
public sealed record ChatSettings
{
    // By reflection: generated code would set what a file leaves out to nothing, in place of its default.
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>The models by names of the user's own, which ledgers and reports show: 1 to 64 characters, none of them '+' or '&gt;'.</summary>
    public IReadOnlyDictionary<string, ChatModel> Models { get; init => field = Named(value); } = new Dictionary<string, ChatModel>();

    /// <summary>Who judges.</summary>
    public required JudgePanel Judge { get; init; }

    /// <summary>The model that invents subjects and scenes for grid prompts. Null, the default: the task's templates, without a model.</summary>
    public string? Writer { get; init; }

    /// <summary>The model that captions panels by what they show. Null, the default: the words that the grid was drawn with.</summary>
    public string? Captioner { get; init; }

    /// <summary>The model that enhances prompts before a picture is drawn. Null, the default: the first that judges.</summary>
    public string? Enhancer { get; init; }

    /// <summary>The most requests of all models together, over all sessions of a run. Null, the default: no limit.</summary>
    public long? MaxCalls { get; init; }

    /// <summary>The most tokens of all models together, likewise. Null, the default: no limit.</summary>
    public long? MaxTokens { get; init; }

    /// <summary>The settings without a file: one judge of the program's own, and nothing else.</summary>
    /// <param name="judge">The name that the program knows it by.</param>
    public static ChatSettings Only(string judge) => new() { Judge = new JudgePanel { Ask = [judge] } };

    /// <summary>Reads a file. Paths in it are relative to its folder.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is no such JSON, or names a model that it does not describe; the message names the file and the field.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ChatSettings Load(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        try
        {
            ChatSettings settings =
                JsonSerializer.Deserialize<ChatSettings>(TextResource.FromFile(file), Json) ?? throw new JsonException("expected an object, found null.");
            foreach ((_, ChatModel model) in settings.Models)
            {
                _ = (model.Endpoint, model.Limits(null));
            }
            string? instructions = settings.Judge.InstructionsFile;
            return instructions is null
                ? settings
                : settings with
                {
                    Judge = settings.Judge with
                    {
                        InstructionsFile = Path.Combine(
                    Path.GetDirectoryName(Path.GetFullPath(file))!, instructions)
                    }
                };
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"Chat settings '{file}': {e.Message}", e);
        }
    }

    /// <summary>All that verdicts depend on, as JSON: models and rules, not how hard they are pressed or where they are.</summary>
    public string Fingerprint() => JsonSerializer.Serialize(new
    {
        models = Models.OrderBy(m => m.Key, StringComparer.Ordinal).Select(
            m => new { name = m.Key, m.Value.Model, m.Value.Temperature, m.Value.MaxOutputTokens }),
        Judge = Judge with { InstructionsFile = null },
        instructions = Judge.InstructionsFile is null ? null : TextResource.FromFile(Judge.InstructionsFile),
        Writer,
        Captioner,
    });

    private static IReadOnlyDictionary<string, ChatModel> Named(IReadOnlyDictionary<string, ChatModel> models)
    {
        ArgumentNullException.ThrowIfNull(models, nameof(Models));
        return models.Keys.FirstOrDefault(name => name.Length is 0 or > 64 || name.AsSpan().IndexOfAny('+', '>') >= 0) is not { } wrong
            ? models
            : throw new ArgumentException(
                $"Option {nameof(Models)}: a name must have 1 to 64 characters, none of them '+' or '>', but one is '{wrong}'.", nameof(Models));
    }
}
