using Dsd.Models.Sampling;

namespace Dsd.Onnx.Families;

/// <summary>The rows that a network runs over the steps of a generation.</summary>
public sealed record NetworkRows
{
    /// <summary>One a row.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>Text tokens that each prompt is padded or cut to. Null, the default, is what the tokenizer says.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>The size of each picture.</summary>
    public required Canvas Canvas { get; init; }

    /// <summary>The noise level of each step.</summary>
    public required IReadOnlyList<float> Sigmas { get; init; }

    /// <summary>The distilled guidance, for networks that take it.</summary>
    public required float Guidance { get; init; }

    /// <summary>Called with a warning for each prompt that was cut off. Null, the default: nobody is warned.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Ends the runs of encoders.</summary>
    public CancellationToken CancellationToken { get; init; }
}
