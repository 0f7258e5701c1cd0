using Dsd.Curation.Enhancing;
using Dsd.MLNet.Stages.Running;
using Dsd.Models.Sampling;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet.Generation;

/// <summary>
/// Writes the prompts of requests again, with a chat client that is made when the first comes. Seeds stay as the rows' own prompts have them.
/// </summary>
/// <param name="name">The client's name.</param>
/// <param name="host">Is told of what went wrong, and of each prompt.</param>
internal sealed class RequestEnhancer(string name, StageHost host) : IDisposable
{
    private readonly SharedTool<PromptEnhancer> _enhancer = new(nameof(DsdGeneratorTransformer), () =>
    {
        IChatClient client = ChatClients.CreateEnhancer(name);
        return (new PromptEnhancer(client), client);
    });

    /// <summary>The requests with their new prompts, all asked for at once.</summary>
    public IReadOnlyList<DsdRequest> Enhance(IReadOnlyList<DsdRequest> requests, CancellationToken cancel) =>
        _enhancer.UseAsync(enhancer => Task.WhenAll(requests.Select(request => EnhanceAsync(enhancer, request, cancel)))).GetAwaiter().GetResult();

    public void Dispose() => _enhancer.Dispose();

    private async Task<DsdRequest> EnhanceAsync(PromptEnhancer enhancer, DsdRequest request, CancellationToken cancel)
    {
        EnhancedPrompt enhanced = await enhancer.EnhanceAsync(request.Prompt, request.Reference, cancel).ConfigureAwait(false);
        if (enhanced.Failure is { } failure)
        {
            host.Warn(failure);
        }
        else
        {
            host.Info($"'{enhanced.Asked}' is drawn as '{enhanced.Prompt}'.");
        }
        return request with { Prompt = enhanced.Prompt };
    }
}
