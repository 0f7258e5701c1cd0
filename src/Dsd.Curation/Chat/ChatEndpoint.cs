using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Dsd.Curation.Chat;

/// <summary>A model behind a server that speaks OpenAI's protocol: OpenAI itself, Azure OpenAI, vLLM, llama.cpp, Ollama and others.</summary>
/// <param name="Address">
/// Where the protocol begins, such as <c>https://api.openai.com/v1</c>, <c>http://localhost:8000/v1</c>, or for Azure OpenAI <c>https://NAME.openai.azure.com/openai/v1</c>.
/// </param>
/// <param name="Model">The model's name there; for Azure the deployment's.</param>
public sealed record ChatEndpoint(Uri Address, string Model)
{
    private static readonly string[] AzureHosts = [".openai.azure.com", ".openai.azure.us", ".services.ai.azure.com", ".cognitiveservices.azure.com"];

    /// <summary>Where the protocol begins: an absolute http or https address without a user, a query or a fragment.</summary>
    public Uri Address { get; init => field = Checked(value); } = Checked(Address);

    /// <summary>The model's name.</summary>
    public string Model { get; init => field = Named(value); } = Named(Model);

    /// <summary>
    /// The environment variable that holds the key; the key itself stands in no option, file or log. Null, the default, sends none.
    /// </summary>
    public string? KeyVariable { get; init; }

    /// <summary>The header that the key is sent under. Null, the default: <c>api-key</c> to Azure, <c>Authorization: Bearer</c> to others.</summary>
    public string? KeyHeader
    {
        get;
        init => field = value is null || (value.Length is > 0 and <= 64 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            ? value
            : throw new ArgumentException($"Option {nameof(KeyHeader)} must be 1 to 64 letters, digits, '-' or '_', but is '{value}'.", nameof(KeyHeader));
    }

    /// <summary>How the server is told what form an answer must have. Default: as a JSON schema. Choose another where it answers schemas with status 400.</summary>
    public AnswerForm AnswerForm
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(AnswerForm), value, $"Option {nameof(AnswerForm)} must be one of {string.Join(", ", Enum.GetNames<AnswerForm>())}, but is {value}.");
    }

    /// <summary>Whether seeds are sent along where one is set. Default true; false for servers that refuse the field.</summary>
    public bool SendSeed { get; init; } = true;

    /// <summary>A client without limits of its own: put a <see cref="LimitedChatClient"/> around it. Dispose it, and its connections close.</summary>
    /// <remarks>Redirections are not followed, and answers of more than 8 MB are refused.</remarks>
    /// <exception cref="InvalidOperationException">The environment variable is not set, or holds what cannot be sent in a header.</exception>
    public IChatClient CreateClient()
    {
        string? key = KeyVariable is null ? null : KeyFrom(KeyVariable);
        string? header = KeyHeader ?? (AzureHosts.Any(host => Address.Host.EndsWith(host, StringComparison.OrdinalIgnoreCase)) ? "api-key" : null);
        HttpClient connections = new(new EndpointHandler(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                ConnectTimeout = TimeSpan.FromSeconds(30),
                // A server that moves is found again by its name.
                PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            },
            key,
            header))
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        OpenAIClientOptions options = new()
        {
            Endpoint = Address,
            Transport = new HttpClientPipelineTransport(connections),
            // Repeats and timeouts are LimitedChatClient's: two layers of them would multiply.
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        };
        // The handler sets the key; the library only insists on being given some.
        IChatClient client = new OpenAIClient(new ApiKeyCredential("none"), options).GetChatClient(Model).AsIChatClient();
        return new EndpointClient(client, connections, AnswerForm, SendSeed);
    }

    private string KeyFrom(string variable)
    {
        string key = Environment.GetEnvironmentVariable(variable)?.Trim() ?? "";
        return key.Length == 0
            ? throw new InvalidOperationException($"The environment variable '{variable}', which should hold the key for {Address}, is not set.")
            : key.All(c => c is > ' ' and < (char)127)
                ? key
                : throw new InvalidOperationException($"The environment variable '{variable}', which should hold the key for {Address}, holds white space or characters that no key has.");
    }

    private static Uri Checked(Uri? value) => value is { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" }
        ? value
        : throw new ArgumentException(
            // What stands before an @ may be a password.
            $"Option {nameof(Address)} must be an absolute http or https address without user, query or fragment, but is '{(value is { IsAbsoluteUri: true, UserInfo.Length: > 0 } ? $"{value.Scheme}://…@{value.Host}" : value)}'.",
            nameof(Address));

    private static string Named(string? value) => !string.IsNullOrWhiteSpace(value) ? value : throw new ArgumentException($"Option {nameof(Model)} must not be empty.", nameof(Model));
}
