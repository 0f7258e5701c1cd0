using System.Text.Json;
using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Pairs;

/// <summary>
/// Panels as the judge saw them: cut from the grids as the run cut them. The last few grids are remembered, since pairs that follow each
/// other share one.
/// </summary>
internal sealed class PanelSource
{
    private const int MostGrids = 4;
    private const string Fact = "cutting";
    private readonly RunFolder _folder;
    private readonly Lock _gate = new();
    private readonly List<(string PromptId, IReadOnlyList<Picture>? Panels)> _recent = [];

    public PanelSource(RunFolder folder)
    {
        _folder = folder;
        string cutting = folder.Ledger.Meta(Fact) ?? throw new LedgerException(
            folder.Ledger.File, $"the fact '{Fact}', which every run notes when it begins", "none. Begin the run first");
        try
        {
            Cutting = JsonSerializer.Deserialize<PanelCutterOptions>(cutting) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new LedgerException(folder.Ledger.File, $"options for cutting in the fact '{Fact}'", $"'{cutting}'", e);
        }
    }

    /// <summary>How the run cuts.</summary>
    public PanelCutterOptions Cutting { get; }

    /// <summary>A panel; null where the grid was not drawn, its file is gone or damaged, or it has no such panel.</summary>
    /// <exception cref="LedgerException">There is no such prompt.</exception>
    public Picture? Panel(string promptId, int panel)
    {
        // One at a time: a grid may be large, and there is one person who looks.
        lock (_gate)
        {
            int known = _recent.FindIndex(r => r.PromptId == promptId);
            (string, IReadOnlyList<Picture>? Panels) grid = known >= 0 ? _recent[known] : (promptId, Cut(promptId));
            if (known >= 0)
            {
                _recent.RemoveAt(known);
            }
            // What is missing may be drawn again by a run that goes on.
            if (grid.Panels is not null)
            {
                _recent.Add(grid);
            }
            if (_recent.Count > MostGrids)
            {
                _recent.RemoveAt(0);
            }
            return panel >= 0 && panel < grid.Panels?.Count ? grid.Panels[panel] : null;
        }
    }

    private IReadOnlyList<Picture>? Cut(string promptId)
    {
        LedgerPrompt prompt = _folder.Ledger.PromptOf(promptId);
        try
        {
            return _folder.Ledger.GridOf(promptId) is { } grid && _folder.Load(grid) is { } picture
                ? PanelCutter.Cut(picture, prompt.Prompt.Layout, Cutting)
                : null;
        }
        catch (Exception e) when (e is PictureException or ArgumentException)
        {
            return null;
        }
    }
}
