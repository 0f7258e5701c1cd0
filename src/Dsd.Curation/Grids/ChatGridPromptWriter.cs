using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Grids;

/// <summary>Has a language model invent subjects and scenes for a caption, as the paper does (arXiv 2411.18616, section 3.1).</summary>
/// <remarks>
/// The model answers with subjects and scenes only; the prompts around them come from <see cref="GridTemplates"/>, so a layout is always
/// asked for in the same words. An answer that cannot be read is asked for once more. Does not own the client.
/// </remarks>
public sealed class ChatGridPromptWriter : IGridPromptWriter
{
    private const int MaxAnswerLength = 256 * 1024;
    private const int MaxTextLength = 1000;

    // Smaller portions are answered more reliably than hundreds of grids at once.
    private const int GridsPerRequest = 8;

    private readonly IChatClient _client;
    private readonly ChatGridPromptWriterOptions _options;
    private readonly string _instructions;

    /// <summary>A writer that asks the given client.</summary>
    /// <exception cref="IOException">The instructions file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The instructions file is empty or too large.</exception>
    /// <exception cref="ArgumentException">Instructions are given twice.</exception>
    public ChatGridPromptWriter(IChatClient client, ChatGridPromptWriterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        _client = client;
        _options = options ?? new ChatGridPromptWriterOptions();
        if (_options is { Instructions: not null, InstructionsFile: not null })
        {
            throw new ArgumentException(
                $"Options {nameof(_options.Instructions)} and {nameof(_options.InstructionsFile)} ('{_options.InstructionsFile}') both give "
                + "instructions: leave one out.",
                nameof(options));
        }
        _instructions = _options.Instructions ?? TextResource.Read(_options.InstructionsFile, "grid.txt");
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<GridPrompt>> WriteAsync(GridPromptRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        List<GridPrompt> prompts = [];
        List<HashSet<string>> words = [];
        int asked = 0;
        // A model that repeats itself is asked for the missing ones twice more, then the caption has fewer.
        for (int empty = 0; prompts.Count < request.Count && empty < 3;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int grids = Math.Min(GridsPerRequest, request.Count - prompts.Count);
            int before = prompts.Count;
            foreach ((string subject, IReadOnlyList<string> scenes) in await AskAsync(request, grids, asked, cancellationToken).ConfigureAwait(false))
            {
                GridPrompt prompt = _options.Templates.Compose(subject, scenes, request.Layout, prompts.Count % _options.Templates.Grids.Count);
                HashSet<string> own = PromptSimilarity.Words(prompt);
                if (words.All(other => PromptSimilarity.Of(own, other) is var alike && alike <= _options.MaxSimilarity && alike < 1))
                {
                    prompts.Add(prompt);
                    words.Add(own);
                }
            }
            asked += grids;
            empty += prompts.Count == before || prompts.Count < request.Count && prompts.Count - before < grids ? 1 : 0;
        }
        return prompts;
    }

    private async Task<List<(string Subject, IReadOnlyList<string> Scenes)>> AskAsync(
        GridPromptRequest request, int grids, int done, CancellationToken cancellationToken)
    {
        int panels = request.Layout.Panels;
        ChatMessage[] question =
        [
            new(ChatRole.System, _instructions),
            new(ChatRole.User, $"Sheets: {grids}\nPanels of each sheet: {panels}\nSeed caption: {JsonSerializer.Serialize(request.Caption)}"),
        ];
        StructuredAnswer<List<(string, IReadOnlyList<string>)>> answer =
            await StructuredChat.AskAsync(
                _client, question, () => RequestOptions(request, done), text => Read(text, grids, panels), cancellationToken).ConfigureAwait(false);
        return answer.Value ?? throw new GridPromptException(
            request.Caption, $"asked twice for {grids} grids of {panels} scenes as JSON, and both answers were unusable; the last one: "
                + $"{answer.Error!.Message} Use a model that follows JSON schemas, or TemplateGridPromptWriter.", answer.Error);
    }

    private static List<(string, IReadOnlyList<string>)> Read(string answer, int grids, int panels)
    {
        using JsonDocument document = AnswerJson.Parse(answer, MaxAnswerLength);
        AnswerJson.Fields(document.RootElement, "answer", "sheets");
        JsonElement list = document.RootElement.GetProperty("sheets");
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() != grids)
        {
            throw new FormatException(
                $"field 'sheets': expected a list of exactly {grids}, found "
                + $"{(list.ValueKind == JsonValueKind.Array ? $"{list.GetArrayLength()} entries" : list.ValueKind)}.");
        }
        List<(string, IReadOnlyList<string>)> found = [];
        foreach (JsonElement grid in list.EnumerateArray())
        {
            AnswerJson.Fields(grid, $"sheets[{found.Count}]", "subject", "scenes");
            string subject = AnswerJson.Text(grid, "subject", MaxTextLength);
            IReadOnlyList<string> scenes = AnswerJson.Texts(grid, "scenes", GridLayout.MaxPanels, MaxTextLength);
            if (scenes.Count != panels || scenes.Distinct(StringComparer.OrdinalIgnoreCase).Count() != panels)
            {
                throw new FormatException(
                    $"sheets[{found.Count}]: expected {panels} different scenes, found {scenes.Count} of which "
                    + $"{scenes.Distinct(StringComparer.OrdinalIgnoreCase).Count()} differ.");
            }
            found.Add((subject, scenes));
        }
        return found;
    }

    private ChatOptions RequestOptions(GridPromptRequest request, int done)
    {
        ChatOptions options = _options.Chat?.Clone() ?? new ChatOptions();
        options.ResponseFormat = ChatResponseFormat.ForJsonSchema(Schema, "grid_prompts", "Subjects and scenes of sheets.");
        // Each portion has a seed of its own, or a deterministic model would write the same grids again.
        options.Seed ??= unchecked(request.Seed + done);
        return options;
    }

    private static JsonElement Schema { get; } = ReadSchema();

    private static JsonElement ReadSchema()
    {
        using JsonDocument document = JsonDocument.Parse(TextResource.Embedded("grid.schema.json"));
        return document.RootElement.Clone();
    }
}
