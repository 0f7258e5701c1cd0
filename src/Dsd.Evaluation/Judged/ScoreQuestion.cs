using Dsd.Common.Options;
using Microsoft.Extensions.AI;

namespace Dsd.Evaluation.Judged;

/// <summary>A question whose answer is one score.</summary>
public sealed record ScoreQuestion
{
    /// <summary>What is judged, by a name that it has within the metric.</summary>
    public required string Item { get; init => field = OptionCheck.Text(value, nameof(Item)); }

    /// <summary>Which question it is, such as <c>dreambench-cp</c>: results and stores call it so.</summary>
    public required string Metric { get; init => field = OptionCheck.Text(value, nameof(Metric)); }

    /// <summary>Makes the messages, pictures with them. It is called when the question is asked, so that pictures are not all in memory at once.</summary>
    public required Func<IReadOnlyList<ChatMessage>> Messages { get; init => field = value ?? throw new ArgumentNullException(nameof(Messages)); }

    /// <summary>The form of the answer.</summary>
    public required ScoreForm Form { get; init => field = value ?? throw new ArgumentNullException(nameof(Form)); }
}
