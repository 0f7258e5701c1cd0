using Microsoft.Extensions.AI;

namespace Dsd.Curation.Grids;

/// <summary>How a chat model is asked for grid prompts.</summary>
public sealed record ChatGridPromptWriterOptions
{
    /// <summary>The words around the model's subjects and scenes. Its contexts are not used: the model writes its own. Default <see cref="GridTemplates.Default"/>.</summary>
    public GridTemplates Templates { get; init => field = value ?? throw new ArgumentNullException(nameof(Templates)); } = GridTemplates.Default;

    /// <summary>A UTF-8 text file of at most 64 KB with instructions to use instead of the built-in ones. Null: built-in.</summary>
    public string? InstructionsFile { get; init; }

    /// <summary>Model, temperature and the like. Copied for each request, never changed. Its <c>ResponseFormat</c> must be null.</summary>
    public ChatOptions? Chat { get; init => field = StructuredChat.WithoutFormat(value, nameof(Chat)); }
}
