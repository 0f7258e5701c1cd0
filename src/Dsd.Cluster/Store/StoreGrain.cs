using System.Data.Common;
using Dsd.Cluster.Hosting;
using Dsd.Cluster.Queue;
using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Orleans.Concurrency;
using Orleans.GrainDirectory;

namespace Dsd.Cluster.Store;

/// <summary>Puts workers' results into the coordinator's store. Calls interleave, and pictures are read and written beside the grain's own thread.</summary>
[Reentrant, GrainType(Type), GrainDirectory(HomeDirectory.Name)]
internal sealed class StoreGrain(IRunStore store, CaptionQueue queue, CurationClusterOptions options) : Grain, IStoreGrain
{
    public const string Type = "dsd.store";

    public Task BeginAsync(string run, Dictionary<string, string> facts) => Do(() => store.BeginAsync(run, facts));

    public Task<LedgerPrompt[]?> PromptsAsync(SeedCaption caption) =>
        Do<LedgerPrompt[]?>(async () => await store.PromptsAsync(caption) is { } prompts ? [.. prompts] : null);

    public Task WritePromptsAsync(SeedCaption caption, LedgerPrompt[] prompts) => Do(() => store.WritePromptsAsync(caption, prompts));

    public Task<Immutable<byte[]>?> GridAsync(string promptId) => Do<Immutable<byte[]>?>(() => Task.Run(async () =>
    {
        if (await store.GridAsync(promptId) is not { } grid)
        {
            return null;
        }
        return (Immutable<byte[]>?)new Immutable<byte[]>(GridBytes.Of(promptId, grid, options));
    }));

    public Task<bool> HasGridAsync(string promptId) => Do(() => Task.Run(() => store.HasGridAsync(promptId)));

    public Task WriteGridAsync(string promptId, Immutable<byte[]> png, string teacher) =>
        Do(() => Task.Run(() => store.WriteGridAsync(promptId, Picture.Decode(GridBytes.Checked(promptId, png.Value, options), promptId), teacher)));

    public Task<Dictionary<int, string>> PanelCaptionsAsync(string promptId) => Do(async () => (await store.PanelCaptionsAsync(promptId)).ToDictionary());

    public Task WritePanelCaptionAsync(string promptId, int panel, string caption) => Do(() => store.WritePanelCaptionAsync(promptId, panel, caption));

    public Task<(int First, int Second)[]> JudgedAsync(string promptId) => Do(async () => (await store.JudgedAsync(promptId)).ToArray());

    public Task WritePairAsync(LedgerPair pair) => Do(() => store.WritePairAsync(pair));

    public Task WriteFailureAsync(string id, string stage, string message) => Do(() => store.WriteFailureAsync(id, stage, message));

    public Task<(long Calls, long Tokens)> SpendAsync(string session, long calls, long tokens) => Do(() => store.SpendAsync(session, calls, tokens));

    private Task Do(Func<Task> call) => Do(async () =>
    {
        await call();
        return true;
    });

    // A store that cannot be read or written is the coordinator's trouble, not one worker's.
    private async Task<T> Do<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (e is IOException or LedgerException { InnerException: DbException })
        {
            queue.Fail(e);
            throw;
        }
    }
}
