using Dsd.Curation.Judging;
using Microsoft.Extensions.AI;

namespace Dsd.Tools.Serving;

/// <summary>What stands behind a <see cref="ChatServer"/> that is asked about pairs.</summary>
internal static class Verdicts
{
    /// <summary>A judge that speaks as a chat model, such as the embedded one, asked with the pictures that came.</summary>
    public static Func<ChatQuestion, CancellationToken, Task<string>> Of(IChatClient judge) =>
        async (question, cancel) => (await judge.GetResponseAsync([new ChatMessage(ChatRole.User, [.. question.Pictures])], cancellationToken: cancel)).Text;

    /// <summary>The same text for every pair; every second one is the same subject.</summary>
    public static Func<ChatQuestion, CancellationToken, Task<string>> Fixed()
    {
        string[] texts = [Text(true), Text(false)];
        return (question, _) => Task.FromResult(texts[question.Number % 2]);
    }

    private static string Text(bool same) => new Verdict
    {
        Subject = "a small fox-like creature with a red scarf",
        DescriptionA = "A small orange creature with pointed ears, round black eyes and a white belly. It wears a red scarf and sits on a wooden floor, "
            + "seen from the front.",
        DescriptionB = "A small orange creature with pointed ears, round black eyes and a white belly. It wears a red scarf and runs over snow, seen "
            + "from the side, its tail raised.",
        Differences = same ? [] : ["the scarf is red in A and green in B", "the ears are pointed in A and round in B"],
        Same = same,
        Confidence = 0.95,
        Flags = [],
    }.ToJson();
}
