using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dsd.Curation;
using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Pictures;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Evaluation.Judged;

/// <summary>
/// Asks a vision-language model for scores: any <see cref="IChatClient"/> that takes pictures, with the limits of a <see cref="LimitedChatClient"/> around it
/// where it is a server.
/// </summary>
/// <remarks>
/// Does not own the client. As safe to share between threads as the client is. An answer that cannot be read is asked for once more, with the error; after
/// that there is no score, which is told and is not 0.
/// </remarks>
public sealed class ScoreJudge
{
    private readonly IChatClient _client;
    private readonly ScoreJudgeOptions _options;

    /// <summary>A judge that asks the given client.</summary>
    public ScoreJudge(IChatClient client, ScoreJudgeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        (_client, _options) = (client, options ?? new ScoreJudgeOptions());
        Name = StructuredChat.NameOf(client, _options.Name);
    }

    /// <summary>What it is called in results and stores.</summary>
    public string Name { get; }

    /// <summary>How often each question is asked.</summary>
    public int Repeats => _options.Repeats;

    /// <summary>Asks a question once, or takes the score from the store if this very question was asked before.</summary>
    /// <param name="question">The question.</param>
    /// <param name="repeat">Which of its repeats, from 0.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ChatFailedException">The request failed for good.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public async Task<JudgedScore> AskAsync(ScoreQuestion question, int repeat = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentOutOfRangeException.ThrowIfNegative(repeat);
        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<ChatMessage> messages = question.Messages();
        string asked = HashOf(messages, RequestOptions(question, repeat));
        if (_options.Store is { } store
            && await store.FindAsync(question.Item, question.Metric, repeat, Name).ConfigureAwait(false) is { Score: not null } known
            && known.Question == asked)
        {
            return known;
        }
        long start = Stopwatch.GetTimestamp();
        StructuredAnswer<ScoreReading> answer = await StructuredChat.AskAsync(
            _client, messages, () => RequestOptions(question, repeat), question.Form.Read, cancellationToken, question.Form.Again).ConfigureAwait(false);
        JudgedScore score = new()
        {
            Item = question.Item,
            Metric = question.Metric,
            Repeat = repeat,
            Judge = Name,
            Question = asked,
            Score = answer.Value?.Score,
            Reason = answer.Value?.Reason ?? answer.Error!.Message,
            Model = answer.Model,
            Attempts = answer.Attempts,
            InputTokens = answer.InputTokens,
            OutputTokens = answer.OutputTokens,
            Duration = Stopwatch.GetElapsedTime(start),
        };
        await WriteAsync(score).ConfigureAwait(false);
        return score;
    }

    /// <summary>
    /// Asks many questions, each as often as the options say and so many at a time, and gives the scores in that order: all repeats of the first question,
    /// then of the next.
    /// </summary>
    /// <param name="questions">The questions, taken only as there is room to ask them.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <remarks>
    /// A request that fails for good, or a picture that cannot be read, gives no score and the reason. Too many failures in a row end the work, and so does one
    /// that every request would meet. Then nothing more is begun, and what is under way is let end and be stored.
    /// </remarks>
    /// <exception cref="ChatFailedException">Too many requests failed in a row, or one in a way that all others would too.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent; what was scored is in the store.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; what was scored is in the store.</exception>
    public IAsyncEnumerable<JudgedScore> AskManyAsync(IEnumerable<ScoreQuestion> questions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(questions);
        FailuresInARow failures = new(_options.MostFailures);
        return OrderedWork.SelectAsync(
            questions.SelectMany(question => Enumerable.Range(0, _options.Repeats).Select(repeat => (question, repeat))),
            // By the caller's wish alone: what is under way when the work ends is paid for, and is let end and be stored.
            (asked, _) => TryAskAsync(asked.question, asked.repeat, failures, cancellationToken),
            _options.Concurrency,
            cancellationToken);
    }

    private async Task<JudgedScore> TryAskAsync(ScoreQuestion question, int repeat, FailuresInARow failures, CancellationToken cancel)
    {
        try
        {
            JudgedScore score = await AskAsync(question, repeat, cancel).ConfigureAwait(false);
            failures.Succeed();
            return score;
        }
        catch (Exception e) when (e is ChatFailedException { ConcernsAll: false } or PictureException && !cancel.IsCancellationRequested)
        {
            failures.Fail(e);
            JudgedScore none = new()
            {
                Item = question.Item,
                Metric = question.Metric,
                Repeat = repeat,
                Judge = Name,
                Question = "",
                Reason = e.Message,
            };
            await WriteAsync(none).ConfigureAwait(false);
            return none;
        }
    }

    private Task WriteAsync(JudgedScore score) => _options.Store?.WriteAsync(score) ?? Task.CompletedTask;

    private ChatOptions RequestOptions(ScoreQuestion question, int repeat)
    {
        ChatOptions options = _options.Chat?.Clone() ?? new ChatOptions { Temperature = 1 };
        options.Seed ??= BitConverter.ToUInt32(Hash(Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{question.Metric} {question.Item} {repeat}")))) & int.MaxValue;
        if (question.Form.Schema is { } schema)
        {
            options.ResponseFormat = ChatResponseFormat.ForJsonSchema(schema, question.Form.SchemaName, "A score, and why.");
        }
        return options;
    }

    /// <summary>A picture as judges get it: JPEG, to be looked at closely.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="width">Its width when it is sent.</param>
    /// <param name="height">Its height when it is sent.</param>
    /// <remarks>Scaled with Pillow's bicubic arithmetic, as the benchmarks do, and with Pillow's usual quality of 75; the encoder is another one.</remarks>
    internal static DataContent Sent(Picture picture, int width, int height)
    {
        Picture scaled = picture.Width == width && picture.Height == height
            ? picture
            : new AntialiasedResize(width, height, 0, 0, width, height).Bytes(picture, narrowWeights: false);
        return new DataContent(scaled.EncodeJpeg(75), "image/jpeg") { AdditionalProperties = new() { ["detail"] = "high" } };
    }

    // What decides on the answer: texts and pictures, and of the options what is sent with them.
    private static string HashOf(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string name, ReadOnlySpan<byte> content)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name} {content.Length}\n")));
            hash.AppendData(content);
        }
        Add("options", Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.ModelId} {options.Temperature} {options.TopP} {options.Seed} {options.MaxOutputTokens} {options.ResponseFormat is not null}")));
        foreach (ChatMessage message in messages)
        {
            Add("role", Encoding.UTF8.GetBytes(message.Role.Value));
            foreach (AIContent content in message.Contents)
            {
                Add(content.GetType().Name, content is DataContent data ? data.Data.Span : Encoding.UTF8.GetBytes((content as TextContent)?.Text ?? ""));
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Hash(byte[] bytes) => SHA256.HashData(bytes);
}
