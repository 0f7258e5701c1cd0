using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Options;

namespace Dsd.Curation.Grids;

/// <summary>The words that grid prompts are put together from: data, so that a model is asked in the wording it was trained on.</summary>
/// <remarks>
/// Placeholders: <c>{subject}</c>, <c>{noun}</c> (the subject without 'a', 'an' or 'the'), <c>{context}</c>, <c>{caption}</c>, <c>{number}</c> (of the
/// panel, from 1), <c>{position}</c> ('top left'), <c>{count}</c> (of panels), <c>{count_word}</c> ('four'), <c>{rows}</c>, <c>{columns}</c>,
/// <c>{panels}</c> (all panels, joined by <see cref="Separator"/>).
/// </remarks>
public sealed record GridTemplates
{
    // By reflection: generated code would set what a file leaves out to nothing, in place of its default.
    private static readonly JsonSerializerOptions Json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    // As an error names them: in code and in a file.
    private const string GridsOption = $"{nameof(Grids)} ('sheets' in a file)";

    /// <summary>Templates of the whole prompt, one of which is drawn for each grid; <c>sheets</c> in a file. Each holds <c>{panels}</c>.</summary>
    [JsonPropertyName("sheets")]
    public required IReadOnlyList<string> Grids { get; init => field = Holding(OptionCheck.Texts(value, 1, GridsOption), GridsOption, "{panels}"); }

    /// <summary>Template of one panel within the whole prompt. Holds <c>{caption}</c> or <c>{context}</c>.</summary>
    public required string Panel { get; init => field = Holding([value], nameof(Panel), "{caption}", "{context}")[0]; }

    /// <summary>Template of one panel's caption. Holds <c>{context}</c>.</summary>
    public required string Caption { get; init => field = Holding([value], nameof(Caption), "{context}")[0]; }

    /// <summary>What stands between two panels.</summary>
    public string Separator { get; init; } = " ";

    /// <summary>The places, poses and lights that the subject is put into. A grid never uses one twice.</summary>
    public required IReadOnlyList<string> Contexts { get; init => field = OptionCheck.Texts(value, 2, nameof(Contexts)); }

    /// <summary>
    /// What each context is about, one word for each of <see cref="Contexts"/>, such as its scene: a grid never has two of one kind.
    /// Null, the default: every context is a kind of its own.
    /// </summary>
    public IReadOnlyList<string>? ContextKinds { get; init => field = value is null ? null : OptionCheck.Texts(value, 2, nameof(ContextKinds)); }

    /// <summary>The templates that come with this library, for large text-to-image models such as FLUX.1-dev.</summary>
    public static GridTemplates Default { get; } = FromJson(TextResource.Embedded("grid-templates.json"), "grid-templates.json");

    /// <summary>Reads templates from a JSON file with the fields <c>sheets</c>, <c>panel</c>, <c>caption</c>, <c>separator</c> and <c>contexts</c>.</summary>
    /// <exception cref="InvalidDataException">The file is no such JSON, or a template lacks its placeholder; the message names the file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static GridTemplates Load(string path) => FromJson(TextResource.FromFile(path), path);

    /// <summary>Puts one prompt together.</summary>
    /// <param name="subject">The text that names the subject.</param>
    /// <param name="contexts">One context a panel, row by row.</param>
    /// <param name="layout">How the panels lie.</param>
    /// <param name="grid">Index into <see cref="Grids"/>.</param>
    /// <exception cref="ArgumentException">The number of contexts is not the number of panels.</exception>
    public GridPrompt Compose(string subject, IReadOnlyList<string> contexts, GridLayout layout, int grid = 0)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(subject);
        ArgumentNullException.ThrowIfNull(contexts);
        ArgumentNullException.ThrowIfNull(layout);
        OptionCheck.Range(grid, 0, Grids.Count - 1, nameof(grid));
        if (contexts.Count != layout.Panels)
        {
            throw new ArgumentException($"A {layout} grid needs {layout.Panels} contexts, but {contexts.Count} were given.", nameof(contexts));
        }
        string[] captions = new string[layout.Panels];
        string[] panels = new string[layout.Panels];
        for (int i = 0; i < panels.Length; i++)
        {
            captions[i] = Placeholders.Fill(Caption, name => Common(name, subject, layout) ?? OfPanel(name, i, contexts[i], null, layout));
            panels[i] = Placeholders.Fill(Panel, name => Common(name, subject, layout) ?? OfPanel(name, i, contexts[i], captions[i], layout));
        }
        string text = Placeholders.Fill(Grids[grid], name => name == "panels" ? string.Join(Separator, panels) : Common(name, subject, layout));
        return new GridPrompt(text, layout, subject, captions);
    }

    private static readonly string[] CountWords =
    [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen",
    ];

    private static string WithoutArticle(string subject)
    {
        string? article = ((string[])["a ", "an ", "the "]).FirstOrDefault(
            a => subject.StartsWith(a, StringComparison.OrdinalIgnoreCase) && subject.Length > a.Length);
        return article is null ? subject : subject[article.Length..];
    }

    private static string? Common(string name, string subject, GridLayout layout) => name switch
    {
        "subject" => subject,
        "noun" => WithoutArticle(subject),
        "count_word" => CountWords[layout.Panels],
        "count" => layout.Panels.ToString(),
        "rows" => layout.Rows.ToString(),
        "columns" => layout.Columns.ToString(),
        _ => null,
    };

    private static string? OfPanel(string name, int panel, string context, string? caption, GridLayout layout) => name switch
    {
        "context" => context,
        "caption" => caption,
        "number" => (panel + 1).ToString(),
        "position" => layout.PositionOf(panel),
        _ => null,
    };

    private static IReadOnlyList<string> Holding(IReadOnlyList<string> templates, string option, params string[] oneOf)
    {
        foreach (string template in templates)
        {
            if (string.IsNullOrWhiteSpace(template) || !oneOf.Any(template.Contains))
            {
                throw new ArgumentException($"Option {option}: a template must hold {string.Join(" or ", oneOf)}, but '{template}' does not.", option);
            }
        }
        return templates;
    }

    private static GridTemplates FromJson(string json, string source)
    {
        try
        {
            GridTemplates templates = JsonSerializer.Deserialize<GridTemplates>(json, Json)
                ?? throw new InvalidDataException($"Grid templates '{source}': expected an object, found null.");
            for (int i = 0; i < templates.Grids.Count; i++)
            {
                // A misspelt placeholder shows here, not when the first grid is drawn.
                templates.Compose("subject", ["first", "second"], GridLayout.OneByTwo, i);
            }
            return templates;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"Grid templates '{source}': {e.Message}", e);
        }
    }
}
