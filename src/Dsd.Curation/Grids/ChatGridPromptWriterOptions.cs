using Dsd.Common.Options;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Grids;

/// <summary>How a chat model is asked for grid prompts.</summary>
public sealed record ChatGridPromptWriterOptions
{
    /// <summary>
    /// The words around the model's subjects and scenes. Its contexts are not used: the model writes its own. Default
    /// <see cref="GridTemplates.Default"/>.
    /// </summary>
    public GridTemplates Templates { get; init => field = value ?? throw new ArgumentNullException(nameof(Templates)); } = GridTemplates.Default;

    /// <summary>A UTF-8 text file of at most 64 KB with instructions to use instead of the built-in ones. Null: built-in.</summary>
    public string? InstructionsFile { get; init; }

    /// <summary>Instructions to use instead of the built-in ones. Null, the default: the file's, else the built-in ones.</summary>
    public string? Instructions { get; init; }

    /// <summary>
    /// The share of words in common, 0 to 1, from which a prompt counts as a copy of an earlier one for the same caption and is asked for
    /// again; the caption gets fewer prompts if the model keeps repeating itself. 1 drops exact copies alone. Default 0.8.
    /// </summary>
    public double MaxSimilarity { get; init => field = OptionCheck.Range(value, 0.0, 1.0, nameof(MaxSimilarity)); } = 0.8;

    /// <summary>Model, temperature and the like. Copied for each request, never changed. Its <c>ResponseFormat</c> must be null.</summary>
    public ChatOptions? Chat { get; init => field = StructuredChat.WithoutFormat(value, nameof(Chat)); }
}
