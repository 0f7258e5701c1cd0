using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Tasks;

/// <summary>
/// What a dataset is about, as data: how grids are asked for, how their panels pair up, and what a judge looks for. A new task is one JSON
/// file.
/// </summary>
/// <remarks>Section 3.1 of arXiv 2411.18616: characters and items with changing context, and edits that keep structure, such as relighting.</remarks>
public sealed record CurationTask
{
    private const string Folder = "Dsd.Curation.Tasks.";

    // By reflection: generated code would set what a file's templates leave out to nothing, in place of its default.
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>The task's name: small letters, digits and dashes, up to 64.</summary>
    public required string Name { get; init => field = Named(value); }

    /// <summary>What it is, in a sentence.</summary>
    public required string About { get; init; }

    /// <summary>How the panels of a grid lie.</summary>
    public required GridLayout Layout { get; init => field = value ?? throw new ArgumentNullException(nameof(Layout)); }

    /// <summary>Which panels make a pair.</summary>
    public PairChoice Pairs { get; init; }

    /// <summary>The words around a subject and its contexts, and contexts for a writer without a language model.</summary>
    public required GridTemplates Templates { get; init => field = value ?? throw new ArgumentNullException(nameof(Templates)); }

    /// <summary>Instructions to the language model that invents subjects and scenes; null for those for changing context.</summary>
    public string? Writer { get; init; }

    /// <summary>Instructions to the judge; null for those for changing context.</summary>
    public string? Judge { get; init; }

    /// <summary>Pairs with one of these flags are not kept.</summary>
    public IReadOnlyList<string> RejectedFlags { get; init => field = OptionCheck.Texts(value, 0, nameof(RejectedFlags)); } = [];

    /// <summary>The names of the tasks that come with this library.</summary>
    public static IReadOnlyList<string> Known { get; } =
        [.. typeof(CurationTask).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal))
            .Select(n => n[Folder.Length..^".json".Length]).Order(StringComparer.Ordinal)];

    /// <summary>A task that comes with this library, or the one in a JSON file.</summary>
    /// <param name="nameOrFile">One of <see cref="Known"/>, or a path that ends in <c>.json</c>.</param>
    /// <exception cref="ArgumentException">It is neither.</exception>
    /// <exception cref="InvalidDataException">The file is no task; the message names the field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static CurationTask Load(string nameOrFile)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFile);
        if (nameOrFile.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return Read(TextResource.FromFile(nameOrFile), nameOrFile);
        }
        return Known.Contains(nameOrFile, StringComparer.Ordinal)
            ? Read(TextResource.Manifest($"{Folder}{nameOrFile}.json"), $"{nameOrFile}.json")
            : throw new ArgumentException($"Task '{nameOrFile}': expected {string.Join(", ", Known)}, or a file that ends in '.json'.", nameof(nameOrFile));
    }

    /// <summary>What writes this task's grid prompts: a language model with the task's instructions, or its templates alone.</summary>
    /// <param name="client">The language model, which stays the caller's. Null for the templates alone.</param>
    /// <param name="chat">Settings of the model's requests. Null is none.</param>
    public IGridPromptWriter CreateWriter(IChatClient? client, ChatOptions? chat = null) => client is null
        ? new TemplateGridPromptWriter(Templates)
        : new ChatGridPromptWriter(client, new ChatGridPromptWriterOptions { Templates = Templates, Instructions = Writer, Chat = chat });

    /// <summary>
    /// A judge's options with this task's question and the flags that it drops pairs by. Options that name a file with instructions keep that question.
    /// </summary>
    /// <param name="options">All other options of the judge.</param>
    public PairJudgeOptions Judging(PairJudgeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { RejectedFlags = RejectedFlags, Instructions = options.InstructionsFile is null ? Judge : null };
    }

    private static CurationTask Read(string json, string source)
    {
        try
        {
            TaskFile file =
                JsonSerializer.Deserialize<TaskFile>(json, Json) ?? throw new InvalidDataException($"Task '{source}': expected an object, found null.");
            return new CurationTask
            {
                Name = file.Name,
                About = file.About,
                Layout = GridLayout.Parse(file.Layout),
                Pairs = file.Pairs,
                Templates = file.Templates ?? GridTemplates.Default,
                Writer = file.Writer is null ? null : string.Join('\n', file.Writer),
                Judge = file.Judge is null ? null : string.Join('\n', file.Judge),
                RejectedFlags = file.RejectedFlags ?? [],
            };
        }
        catch (Exception e) when (e is JsonException or ArgumentException or FormatException)
        {
            throw new InvalidDataException($"Task '{source}': {e.Message}", e);
        }
    }

    private static string Named(string? value) =>
        value is { Length: > 0 and <= 64 } && value.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            ? value
            : throw new ArgumentException($"Option {nameof(Name)} must be 1 to 64 small letters, digits and dashes, but is '{value}'.", nameof(Name));
}

/// <summary>The file's form: long texts are lists of lines.</summary>
internal sealed record TaskFile
{
    public required string Name { get; init; }

    public required string About { get; init; }

    public required string Layout { get; init; }

    public PairChoice Pairs { get; init; }

    public GridTemplates? Templates { get; init; }

    public IReadOnlyList<string>? Writer { get; init; }

    public IReadOnlyList<string>? Judge { get; init; }

    public IReadOnlyList<string>? RejectedFlags { get; init; }
}
