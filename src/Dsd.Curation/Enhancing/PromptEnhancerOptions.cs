using Dsd.Common.Options;
using Dsd.Curation.Judging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Enhancing;

/// <summary>How a <see cref="PromptEnhancer"/> asks.</summary>
public sealed record PromptEnhancerOptions : QuestionSettings
{
    /// <summary>The most characters (code points) that a prompt of the model's may have, 1 to 4000; a longer one is asked for again. Default 1000.</summary>
    public int MostCharacters { get; init => field = OptionCheck.Range(value, 1, 4000, nameof(MostCharacters)); } = 1000;

    /// <summary>
    /// Model, temperature and the like. Copied for each request, never changed. Its <c>ResponseFormat</c> must be null. Without a seed each prompt has one of
    /// its own that is the same each time.
    /// </summary>
    public ChatOptions? Chat { get; init => field = StructuredChat.WithoutFormat(value, nameof(Chat)); }
}
