using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Axes;

/// <summary>
/// Scores a pair by the axes of today's curated sets, beside the verdict of a <see cref="Judging.PairJudge"/>: the subject's parts are named, the differences
/// of each told and scored, and then the pair as a whole. Any <see cref="IChatClient"/> that takes images will do.
/// </summary>
/// <remarks>
/// UNO asks in three turns (<c>template/uno_instructions.py</c>: parts, differences, scores); here the three are fields of one answer in that order, so that a
/// pair costs one request. Does not own the client. As safe to share between threads as the client is.
/// </remarks>
public sealed class AxesJudge
{
    private readonly IChatClient _client;
    private readonly AxesJudgeOptions _options;
    private readonly string _instructions;

    /// <summary>A judge that asks the given client.</summary>
    /// <exception cref="IOException">The instructions file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The instructions file is empty or too large.</exception>
    public AxesJudge(IChatClient client, AxesJudgeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        (_client, _options) = (client, options ?? new AxesJudgeOptions());
        _instructions = TextResource.Read(_options.InstructionsFile, "axes.txt");
        Name = StructuredChat.NameOf(client, _options.Name);
    }

    /// <summary>What it is called in ledgers.</summary>
    public string Name { get; }

    /// <summary>All that scores depend on, as JSON: the judge's name and a hash of its instructions.</summary>
    public string Fingerprint => JsonSerializer.Serialize(new
    {
        judge = Name,
        instructions = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_instructions)))[..16],
    });

    /// <summary>Scores one pair. An answer that cannot be read is asked for once more, with the error; after that there are no scores.</summary>
    /// <param name="a">One picture.</param>
    /// <param name="b">The other.</param>
    /// <param name="captionA">What the first was to show.</param>
    /// <param name="captionB">What the second was to show.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <remarks>Failures of the client (network, quota) are no answers and are thrown.</remarks>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public async Task<AxesVote> ScoreAsync(Picture a, Picture b, string captionA, string captionB, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentNullException.ThrowIfNull(captionA);
        ArgumentNullException.ThrowIfNull(captionB);
        cancellationToken.ThrowIfCancellationRequested();
        ChatMessage[] question =
        [
            new(ChatRole.System, _instructions),
            new(
                ChatRole.User,
                [
                    new TextContent($"Image A, to show {JsonSerializer.Serialize(captionA)}:"), _options.Sent(a),
                    new TextContent($"Image B, to show {JsonSerializer.Serialize(captionB)}:"), _options.Sent(b),
                ]),
        ];
        long start = Stopwatch.GetTimestamp();
        StructuredAnswer<PairAxes> answer = await StructuredChat.AskAsync(
            _client, question, RequestOptions, AxesFormat.Parse, cancellationToken).ConfigureAwait(false);
        return new AxesVote
        {
            Judge = Name,
            Model = answer.Model,
            Axes = answer.Value,
            Reason = answer.Error?.Message ?? "",
            Attempts = answer.Attempts,
            InputTokens = answer.InputTokens,
            OutputTokens = answer.OutputTokens,
            Duration = Stopwatch.GetElapsedTime(start),
        };
    }

    private ChatOptions RequestOptions()
    {
        ChatOptions options = _options.Chat?.Clone() ?? new ChatOptions();
        options.ResponseFormat = ChatResponseFormat.ForJsonSchema(AxesFormat.Schema, "axes", "How two images of one subject are scored.");
        return options;
    }
}
