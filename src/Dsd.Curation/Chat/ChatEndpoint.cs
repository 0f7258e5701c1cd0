using Dsd.Common.Options;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>A model behind a server that speaks OpenAI's protocol: OpenAI itself, Azure OpenAI, vLLM, llama.cpp, Ollama and others.</summary>
/// <param name="Address">
/// Where the protocol begins, such as <c>https://api.openai.com/v1</c>, <c>http://localhost:8000/v1</c>, or for Azure OpenAI
/// <c>https://NAME.openai.azure.com/openai/v1</c>.
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
    /// <remarks>Letters, digits and '_', not a digit first. Anything else is taken for the key itself, put here by mistake, and shown nowhere.</remarks>
    public string? KeyVariable
    {
        get;
        init => field = value is null || (
            value.Length is > 0 and <= 128 && !char.IsAsciiDigit(value[0]) && value.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            ? value
            : throw new ArgumentException(
                $"Option {nameof(KeyVariable)} must be the name of an environment variable, of letters, digits and '_', but is none. "
                + "If it is the key itself, put that into a variable, and name the variable here.",
                nameof(KeyVariable));
    }

    /// <summary>The header that the key is sent under. Null, the default: <c>api-key</c> to Azure, <c>Authorization: Bearer</c> to others.</summary>
    public string? KeyHeader
    {
        get;
        init => field = value is null || (value.Length is > 0 and <= 64 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            ? value
            : throw new ArgumentException(
                $"Option {nameof(KeyHeader)} must be 1 to 64 letters, digits, '-' or '_', such as api-key, but has other characters or {value.Length} of them.",
                nameof(KeyHeader));
    }

    /// <summary>
    /// How the server learns what form an answer must have. Default: as a JSON schema. Choose another where it answers schemas with status
    /// 400.
    /// </summary>
    public AnswerForm AnswerForm
    {
        get;
        init => field = OptionCheck.Defined(value, nameof(AnswerForm));
    }

    /// <summary>Whether seeds are sent along where one is set. Default true; false for servers that refuse the field.</summary>
    public bool SendSeed { get; init; } = true;

    /// <summary>A client without limits of its own: put a <see cref="LimitedChatClient"/> around it. Dispose it, and its connections close.</summary>
    /// <remarks>
    /// Redirections are not followed, and answers of more than 8 MB are refused. What the server refuses, or sends in place of an answer,
    /// ends as an <see cref="HttpRequestException"/> with the status. The client knows texts and pictures, no tools.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The environment variable is not set, or holds what cannot be sent in a header.</exception>
    public IChatClient CreateClient()
    {
        string? key = KeyVariable is null ? null : KeyFrom(KeyVariable);
        string? header = KeyHeader ?? (AzureHosts.Any(host => Address.Host.EndsWith(host, StringComparison.OrdinalIgnoreCase)) ? "api-key" : null);
        return new EndpointClient(this, new EndpointConnection(this, key, header));
    }

    private string KeyFrom(string variable)
    {
        string key = Environment.GetEnvironmentVariable(variable)?.Trim() ?? "";
        return key.Length == 0
            ? throw new InvalidOperationException($"The environment variable '{variable}', which should hold the key for {Address}, is not set.")
            : key.All(c => c is > ' ' and < (char)127)
                ? key
                : throw new InvalidOperationException(
                    $"The environment variable '{variable}', which should hold the key for {Address}, holds white space or characters that no key has.");
    }

    private static Uri Checked(Uri? value) => value is { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" }
        ? value
        : throw new ArgumentException(
            // What stands before an @ may be a password.
            $"Option {nameof(Address)} must be an absolute http or https address without user, query or fragment, "
            + $"but is '{(value is { IsAbsoluteUri: true, UserInfo.Length: > 0 } ? $"{value.Scheme}://…@{value.Host}" : value)}'.",
            nameof(Address));

    private static string Named(string? value) =>
        !string.IsNullOrWhiteSpace(value) ? value : throw new ArgumentException($"Option {nameof(Model)} must not be empty.", nameof(Model));
}
