using Dsd.Common.Options;

namespace Dsd.Curation.Grids;

/// <summary>Asks for grid prompts about the subject of one caption.</summary>
public sealed record GridPromptRequest
{
    /// <summary>The longest caption taken, in characters.</summary>
    public const int MaxCaptionLength = 4000;

    /// <summary>A request about the subject that the caption names.</summary>
    /// <param name="caption">The seed caption, such as 'a clay fox with a green scarf'.</param>
    /// <exception cref="ArgumentException">The caption is empty or longer than <see cref="MaxCaptionLength"/>.</exception>
    public GridPromptRequest(string caption)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(caption);
        if (caption.Length > MaxCaptionLength)
        {
            throw new ArgumentException($"The caption has {caption.Length} characters; at most {MaxCaptionLength} are taken. Shorten it.", nameof(caption));
        }
        Caption = caption.Trim();
    }

    /// <summary>The seed caption.</summary>
    public string Caption { get; }

    /// <summary>How the panels lie. Default 2×2, the paper's usual grid.</summary>
    public GridLayout Layout { get; init => field = value ?? throw new ArgumentNullException(nameof(Layout)); } = GridLayout.TwoByTwo;

    /// <summary>How many prompts to write, 1 to 256. Default 1.</summary>
    public int Count { get; init => field = OptionCheck.Range(value, 1, 256, nameof(Count)); } = 1;

    /// <summary>Same seed, same prompts, for writers that are deterministic. Passed on to chat models that take a seed.</summary>
    public long Seed { get; init; }
}
