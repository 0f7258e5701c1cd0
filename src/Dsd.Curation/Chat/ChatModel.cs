using Dsd.Common.Options;

namespace Dsd.Curation.Chat;

/// <summary>One model of a <see cref="ChatSettings"/> file: where it is, and how hard it may be pressed.</summary>
public sealed record ChatModel
{
    /// <summary>Where the protocol begins, such as <c>http://localhost:8000/v1</c>: see <see cref="ChatEndpoint.Address"/>.</summary>
    public required Uri Address { get; init; }

    /// <summary>The model's name there; for Azure the deployment's.</summary>
    public required string Model { get; init; }

    /// <summary>The environment variable that holds the key. Null, the default, sends none.</summary>
    public string? KeyVariable { get; init; }

    /// <summary>The header that the key is sent under: see <see cref="ChatEndpoint.KeyHeader"/>.</summary>
    public string? KeyHeader { get; init; }

    /// <summary>How the server learns what form an answer must have: see <see cref="ChatEndpoint.AnswerForm"/>. Default: as a JSON schema.</summary>
    public AnswerForm AnswerForm { get; init; }

    /// <summary>Whether seeds are sent along: see <see cref="ChatEndpoint.SendSeed"/>. Default true.</summary>
    public bool SendSeed { get; init; } = true;

    /// <summary>Requests that are under way at the same time: see <see cref="ChatLimits.Concurrency"/>. Default 16.</summary>
    public int Concurrency { get; init; } = 16;

    /// <summary>Requests begun in a minute: see <see cref="ChatLimits.RequestsPerMinute"/>. Null, the default: no limit.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>How long one request may take, in seconds: see <see cref="ChatLimits.Timeout"/>. Default 120.</summary>
    public double TimeoutSeconds { get; init; } = 120;

    /// <summary>How often a request is repeated after a failure that may pass: see <see cref="ChatLimits.Retries"/>. Default 6.</summary>
    public int Retries { get; init; } = 6;

    /// <summary>
    /// How long a server may be away before requests fail, in seconds: see <see cref="ChatLimits.Patience"/>. Null, the default, is what
    /// that says.
    /// </summary>
    public double? PatienceSeconds { get; init; }

    /// <summary>The sampling temperature, 0 to 2. Null, the default: the server's.</summary>
    public float? Temperature { get; init => field = OptionCheck.RangeOrNull(value, 0f, 2f, nameof(Temperature)); }

    /// <summary>The most tokens of an answer, 1 to 1,000,000. Null, the default: the server's.</summary>
    public int? MaxOutputTokens { get; init => field = OptionCheck.RangeOrNull(value, 1, 1_000_000, nameof(MaxOutputTokens)); }

    /// <summary>The endpoint.</summary>
    internal ChatEndpoint Endpoint => new(Address, Model) { KeyVariable = KeyVariable, KeyHeader = KeyHeader, AnswerForm = AnswerForm, SendSeed = SendSeed };

    /// <summary>The limits, with a budget that other models may share.</summary>
    internal ChatLimits Limits(ChatBudget? budget)
    {
        ChatLimits limits = new()
        {
            Concurrency = Concurrency,
            RequestsPerMinute = RequestsPerMinute,
            Timeout = TimeSpan.FromSeconds(TimeoutSeconds),
            Retries = Retries,
            Budget = budget,
        };
        return PatienceSeconds is { } patience ? limits with { Patience = TimeSpan.FromSeconds(patience) } : limits;
    }
}
