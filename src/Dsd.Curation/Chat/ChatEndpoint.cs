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
    /// <summary>Where the protocol begins: an absolute http or https address.</summary>
    public Uri Address { get; init => field = Checked(value); } = Checked(Address);

    /// <summary>The model's name.</summary>
    public string Model { get; init => field = Named(value); } = Named(Model);

    /// <summary>
    /// The environment variable that holds the key; the key itself stands in no option, file or log. Null, the default, sends none.
    /// </summary>
    public string? KeyVariable { get; init; }

    /// <summary>A client, without limits of its own but the protocol's: put a <see cref="LimitedChatClient"/> around it.</summary>
    /// <exception cref="InvalidOperationException">The environment variable is not set.</exception>
    public IChatClient CreateClient()
    {
        string key = KeyVariable is null
            ? "none"
            : Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } value ? value : throw new InvalidOperationException($"The environment variable '{KeyVariable}', which should hold the key for {Address}, is not set.");
        OpenAIClientOptions options = new()
        {
            Endpoint = Address,
            // Repeats and timeouts are LimitedChatClient's: two layers of them would multiply.
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        };
        if (Address.Host.EndsWith(".openai.azure.com", StringComparison.OrdinalIgnoreCase))
        {
            options.AddPolicy(new AzureKey(key), PipelinePosition.PerCall);
        }
        return new OpenAIClient(new ApiKeyCredential(key), options).GetChatClient(Model).AsIChatClient();
    }

    private static Uri Checked(Uri? value) => value is { IsAbsoluteUri: true, Scheme: "http" or "https" }
        ? value
        : throw new ArgumentException($"Option {nameof(Address)} must be an absolute http or https address, but is '{value}'.", nameof(Address));

    private static string Named(string? value) => !string.IsNullOrWhiteSpace(value) ? value : throw new ArgumentException($"Option {nameof(Model)} must not be empty.", nameof(Model));

    // Azure takes keys under a header of its own.
    private sealed class AzureKey(string key) : PipelinePolicy
    {
        public override void Process(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            message.Request.Headers.Set("api-key", key);
            ProcessNext(message, pipeline, currentIndex);
        }

        public override ValueTask ProcessAsync(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            message.Request.Headers.Set("api-key", key);
            return ProcessNextAsync(message, pipeline, currentIndex);
        }
    }
}
