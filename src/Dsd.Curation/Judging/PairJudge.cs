using System.Diagnostics;
using System.Globalization;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Judging;

/// <summary>
/// Decides whether two pictures show the same subject by asking a vision-language model to reason in steps: name the common subject, describe
/// it in each image, compare, conclude (arXiv 2411.18616, section 3.1). Any <see cref="IChatClient"/> that takes images will do.
/// </summary>
/// <remarks>
/// Does not own the client. As safe to share between threads as the client is. Whatever a picture says, the answer is either a verdict of
/// the fixed form or counts as none.
/// </remarks>
public sealed class PairJudge : IPairJudge
{
    private readonly IChatClient _client;
    private readonly PairJudgeOptions _options;
    private readonly string _instructions;

    /// <summary>A judge that asks the given client.</summary>
    /// <exception cref="IOException">The instructions file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The instructions file is empty or too large.</exception>
    /// <exception cref="ArgumentException">Instructions are given twice.</exception>
    public PairJudge(IChatClient client, PairJudgeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        _client = client;
        _options = options ?? new PairJudgeOptions();
        if (_options is { Instructions: not null, InstructionsFile: not null })
        {
            throw new ArgumentException(
                $"Options {nameof(_options.Instructions)} and {nameof(_options.InstructionsFile)} ('{_options.InstructionsFile}') both give "
                + "instructions: leave one out.",
                nameof(options));
        }
        _instructions = _options.Instructions ?? TextResource.Read(_options.InstructionsFile, "judge.txt");
        Name = StructuredChat.NameOf(client, _options.Name);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Judges one pair. An answer that cannot be read is asked for once more, with the error; after that the pair is undecided.</summary>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public async Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        cancellationToken.ThrowIfCancellationRequested();
        ChatMessage[] question =
        [
            new(ChatRole.System, _instructions),
            new(
                ChatRole.User,
                [
                    new TextContent("Image A:"), _options.Sent(a), new TextContent("Image B:"), _options.Sent(b),
                    new TextContent("Do A and B show the very same subject?"),
                ]),
        ];
        long start = Stopwatch.GetTimestamp();
        StructuredAnswer<Verdict> answer = await StructuredChat.AskAsync(
            _client, question, RequestOptions, VerdictFormat.Parse, cancellationToken).ConfigureAwait(false);
        (bool kept, string reason) = answer.Value is null ? (false, $"undecided: {answer.Error!.Message}") : Decide(answer.Value);
        JudgeVote vote = new()
        {
            Judge = Name,
            Model = answer.Model,
            Verdict = answer.Value,
            Kept = kept,
            Reason = reason,
            Attempts = answer.Attempts,
            InputTokens = answer.InputTokens,
            OutputTokens = answer.OutputTokens,
            Duration = Stopwatch.GetElapsedTime(start),
        };
        return new PairJudgement
        {
            Status = answer.Value is null ? VerdictStatus.Undecided : VerdictStatus.Decided,
            Verdict = answer.Value,
            Kept = kept,
            Confidence = answer.Value?.Confidence ?? double.NaN,
            Reason = reason,
            Votes = [vote],
        };
    }

    /// <summary>Judges many pairs, <see cref="PairJudgeOptions.Concurrency"/> at a time: see <see cref="PairJudging.JudgeManyAsync"/>.</summary>
    public IAsyncEnumerable<PairJudgement> JudgeManyAsync(IEnumerable<PicturePair> pairs, CancellationToken cancellationToken = default) =>
        this.JudgeManyAsync(pairs, _options.Concurrency, cancellationToken);

    private (bool Kept, string Reason) Decide(Verdict verdict)
    {
        string confidence = verdict.Confidence.ToString("0.00", CultureInfo.InvariantCulture);
        if (!verdict.Same)
        {
            string why = verdict.Differences.Count == 0 ? "no difference named" : string.Join("; ", verdict.Differences);
            return (false, $"not the same subject ({confidence}): {why}");
        }
        if (verdict.Confidence < _options.Threshold)
        {
            return (false, $"the same subject, but confidence {confidence} is below {_options.Threshold.ToString("0.00", CultureInfo.InvariantCulture)}");
        }
        string? flag = verdict.Flags.FirstOrDefault(flag => _options.RejectedFlags.Contains(flag, StringComparer.OrdinalIgnoreCase));
        return flag is null ? (true, $"the same subject ({confidence}): {verdict.Subject}") : (false, $"the same subject ({confidence}), but flagged '{flag}'");
    }

    private ChatOptions RequestOptions()
    {
        ChatOptions options = _options.Chat?.Clone() ?? new ChatOptions();
        options.ResponseFormat = ChatResponseFormat.ForJsonSchema(
            VerdictFormat.Schema, "verdict", "Whether two images show the same subject, with the reasons.");
        return options;
    }
}
