using Dsd.Cluster.Hosting;
using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Orleans.Concurrency;

namespace Dsd.Cluster.Store;

/// <summary>The coordinator's store at a worker's end. All that it does may be done twice, so calls that were lost on the way are made again.</summary>
internal sealed class GrainRunStore(IStoreGrain grain, PatientCalls calls, CurationClusterOptions options) : IRunStore
{
    public Task BeginAsync(string run, IReadOnlyDictionary<string, string> facts) => calls.MakeAsync(() => grain.BeginAsync(run, facts.ToDictionary()));

    public async Task<IReadOnlyList<LedgerPrompt>?> PromptsAsync(SeedCaption caption) =>
        await calls.MakeAsync(() => grain.PromptsAsync(caption)).ConfigureAwait(false);

    public Task WritePromptsAsync(SeedCaption caption, IReadOnlyList<LedgerPrompt> prompts) =>
        calls.MakeAsync(() => grain.WritePromptsAsync(caption, [.. prompts]));

    public async Task<Picture?> GridAsync(string promptId) =>
        await calls.MakeAsync(() => grain.GridAsync(promptId)).ConfigureAwait(false) is { } png
            ? Picture.Decode(GridBytes.Checked(promptId, png.Value, options), promptId)
            : null;

    public Task<bool> HasGridAsync(string promptId) => calls.MakeAsync(() => grain.HasGridAsync(promptId));

    public Task WriteGridAsync(string promptId, Picture grid, string teacher)
    {
        Immutable<byte[]> png = new(GridBytes.Of(promptId, grid, options));
        return calls.MakeAsync(() => grain.WriteGridAsync(promptId, png, teacher));
    }

    public async Task<IReadOnlyDictionary<int, string>> PanelCaptionsAsync(string promptId) =>
        await calls.MakeAsync(() => grain.PanelCaptionsAsync(promptId)).ConfigureAwait(false);

    public Task WritePanelCaptionAsync(string promptId, int panel, string caption) =>
        calls.MakeAsync(() => grain.WritePanelCaptionAsync(promptId, panel, caption));

    public async Task<IReadOnlySet<(int First, int Second)>> JudgedAsync(string promptId) =>
        (await calls.MakeAsync(() => grain.JudgedAsync(promptId)).ConfigureAwait(false)).ToHashSet();

    public Task WritePairAsync(LedgerPair pair) => calls.MakeAsync(() => grain.WritePairAsync(pair));

    public Task WriteFailureAsync(string id, string stage, string message) => calls.MakeAsync(() => grain.WriteFailureAsync(id, stage, message));

    public Task<(long Calls, long Tokens)> SpendAsync(string session, long spentCalls, long tokens) =>
        calls.MakeAsync(() => grain.SpendAsync(session, spentCalls, tokens));
}
