using Dsd.Curation.Grids;
using Dsd.Runs.Ledger;

namespace Dsd.Cluster.Wire;

[GenerateSerializer, Alias("dsd.prompt")]
internal struct LedgerPromptSurrogate
{
    [Id(0)] public string Id;
    [Id(1)] public string CaptionKey;
    [Id(2)] public int Ordinal;
    [Id(3)] public string Text;
    [Id(4)] public string Layout;
    [Id(5)] public string Subject;
    [Id(6)] public string[] Captions;
    [Id(7)] public long Seed;
}

/// <summary>Prompts as they travel.</summary>
[RegisterConverter]
internal sealed class LedgerPromptConverter : IConverter<LedgerPrompt, LedgerPromptSurrogate>
{
    public LedgerPrompt ConvertFromSurrogate(in LedgerPromptSurrogate surrogate) => new(
        surrogate.Id,
        surrogate.CaptionKey,
        surrogate.Ordinal,
        new GridPrompt(surrogate.Text, GridLayout.Parse(surrogate.Layout), surrogate.Subject, surrogate.Captions),
        surrogate.Seed);

    public LedgerPromptSurrogate ConvertToSurrogate(in LedgerPrompt value) => new()
    {
        Id = value.Id,
        CaptionKey = value.CaptionKey,
        Ordinal = value.Ordinal,
        Text = value.Prompt.Text,
        Layout = value.Prompt.Layout.ToString(),
        Subject = value.Prompt.Subject,
        Captions = [.. value.Prompt.Captions],
        Seed = value.Seed,
    };
}
