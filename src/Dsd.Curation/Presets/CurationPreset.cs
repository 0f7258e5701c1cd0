using Dsd.Common.Options;
using Dsd.Curation.Grids;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Presets;

/// <summary>How pairs are curated with a model that is known by name: what it brings in place of a task's words and layout, and of chat models.</summary>
/// <remarks>
/// <see cref="CurationPresets"/> knows them by name. Where the model's files lie, and how it is drawn with, is a preset of its own, in Dsd.Models. Each part
/// may be left out: a judge alone is a preset too.
/// </remarks>
public sealed record CurationPreset
{
    /// <summary>The name that stands for the model, for its judge, or for its captions.</summary>
    public required string Name { get; init => field = OptionCheck.Text(value, nameof(Name)); }

    /// <summary>What a message calls the model, without an article. Default <c>model 'NAME'</c>.</summary>
    public string Title { get => field ?? $"model '{Name}'"; init => field = OptionCheck.Text(value, nameof(Title)); }

    /// <summary>
    /// Gives the only words around a caption that the model knows, whatever the task. It is asked when a grid is, so that registration costs no time.
    /// Null, the default: the model takes any words.
    /// </summary>
    public Func<GridTemplates>? Templates { get; init; }

    /// <summary>How the panels of a grid lie for any task, unless the caller says how. Null, the default: as the task says.</summary>
    public GridLayout? TaskLayout { get; init; }

    /// <summary>The only layouts that the model draws in a curation run. Empty, the default: any.</summary>
    public IReadOnlyList<GridLayout> Layouts
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Layouts));
            field = [.. value];
        }
    } = [];

    /// <summary>Makes the judge that the model brings; whoever asked for it disposes it. Null, the default, is none.</summary>
    public Func<IChatClient>? Judge { get; init; }

    /// <summary>
    /// Makes the evaluator that the model brings, which scores pictures; whoever asked for it disposes it. Null, the default, is none.
    /// </summary>
    public Func<IChatClient>? Evaluator { get; init; }

    /// <summary>
    /// Makes the client that the model brings to enhance prompts (<see cref="Enhancing.PromptEnhancer"/>); whoever asked for it disposes it. Null, the
    /// default, is none.
    /// </summary>
    public Func<IChatClient>? Enhancer { get; init; }

    /// <summary>
    /// Captions to begin with, each with a key: from a seed a sequence that is the same each time, has no caption twice and may be endless. Null, the default,
    /// is none.
    /// </summary>
    public Func<long, IEnumerable<(string Key, string Text)>>? Captions { get; init; }
}
