using Dsd.Runs.Ledger;
using Orleans.Concurrency;

namespace Dsd.Cluster.Store;

/// <summary>The coordinator's store, as workers see it: <see cref="Runs.IRunStore"/> over the wire, grids as PNG.</summary>
[Alias("dsd.store")]
internal interface IStoreGrain : IGrainWithIntegerKey
{
    [Alias("begin")]
    Task BeginAsync(string run, Dictionary<string, string> facts);

    [Alias("prompts")]
    Task<LedgerPrompt[]?> PromptsAsync(SeedCaption caption);

    [Alias("write-prompts")]
    Task WritePromptsAsync(SeedCaption caption, LedgerPrompt[] prompts);

    [Alias("sheet")]
    Task<Immutable<byte[]>?> GridAsync(string promptId);

    [Alias("has-sheet")]
    Task<bool> HasGridAsync(string promptId);

    [Alias("write-sheet")]
    Task WriteGridAsync(string promptId, Immutable<byte[]> png, string teacher);

    [Alias("panel-captions")]
    Task<Dictionary<int, string>> PanelCaptionsAsync(string promptId);

    [Alias("write-panel-caption")]
    Task WritePanelCaptionAsync(string promptId, int panel, string caption);

    [Alias("judged")]
    Task<(int First, int Second)[]> JudgedAsync(string promptId);

    [Alias("write-pair")]
    Task WritePairAsync(LedgerPair pair);

    [Alias("write-failure")]
    Task WriteFailureAsync(string id, string stage, string message);

    [Alias("spend")]
    Task<(long Calls, long Tokens)> SpendAsync(string session, long calls, long tokens);
}
