using System.Text.Json;
using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Runs.Ledger;

namespace Dsd.Runs;

/// <summary>The panels of a run's grids, cut and captioned as the run did. Thread-safe.</summary>
internal sealed class RunPanels
{
    private readonly RunFolder _run;
    private readonly PanelCutterOptions _cutting;

    /// <exception cref="LedgerException">The ledger does not say how its grids are cut and paired.</exception>
    public RunPanels(RunFolder run)
    {
        _run = run;
        Choice = Enum.TryParse(Fact("pairs"), out PairChoice choice) && Enum.IsDefined(choice)
            ? choice
            : throw new LedgerException(
                run.Ledger.File, $"a fact 'pairs' that is one of {string.Join(", ", Enum.GetNames<PairChoice>())}", $"'{Fact("pairs")}'");
        try
        {
            _cutting = JsonSerializer.Deserialize<PanelCutterOptions>(Fact("cutting")) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new LedgerException(run.Ledger.File, "a fact 'cutting' that says how grids are cut", $"'{Fact("cutting")}'", e);
        }
    }

    /// <summary>Which panels make a pair.</summary>
    public PairChoice Choice { get; }

    /// <summary>A grid's panels.</summary>
    /// <exception cref="LedgerException">A row cannot be read, or the grid is gone or damaged.</exception>
    public GridPanels Of(string promptId)
    {
        LedgerPrompt prompt = _run.Ledger.PromptOf(promptId);
        IReadOnlyDictionary<int, string> own = _run.Ledger.PanelCaptionsOf(prompt.Id);
        return new GridPanels(_run.Ledger.File, prompt, PanelCutter.Cut(Grid(prompt), prompt.Prompt.Layout, _cutting), own);
    }

    /// <summary>The pairs that stand together in a list by id, since ids begin with the grid's.</summary>
    public static IEnumerable<IReadOnlyList<LedgerPair>> ByGrid(IEnumerable<LedgerPair> pairs)
    {
        List<LedgerPair> grid = [];
        foreach (LedgerPair pair in pairs)
        {
            if (grid.Count > 0 && grid[0].PromptId != pair.PromptId)
            {
                yield return grid;
                grid = [];
            }
            grid.Add(pair);
        }
        if (grid.Count > 0)
        {
            yield return grid;
        }
    }

    private string Fact(string name) =>
        _run.Ledger.Meta(name) ?? throw new LedgerException(
            _run.Ledger.File, $"a run that has begun, which notes '{name}'", "no such note: begin the run, or go on with it, once more");

    private Picture Grid(LedgerPrompt prompt)
    {
        LedgerGrid grid = _run.Ledger.GridOf(prompt.Id) ?? throw new LedgerException(
            _run.Ledger.File, $"the grid of '{prompt.Id}', whose pairs are judged", "none");
        return _run.Load(grid) ?? throw new LedgerException(
            _run.Ledger.File, $"the grid '{grid.File}' as it was drawn", "a file that is gone or damaged. Go on with the run: it draws such grids anew");
    }
}

/// <summary>The panels of one grid.</summary>
/// <param name="File">The ledger, for messages.</param>
/// <param name="Prompt">The grid's prompt.</param>
/// <param name="Panels">The panels.</param>
/// <param name="OwnCaptions">Captions that panels were given in place of the text that the grid was drawn from.</param>
internal sealed record GridPanels(string File, LedgerPrompt Prompt, IReadOnlyList<Picture> Panels, IReadOnlyDictionary<int, string> OwnCaptions)
{
    /// <summary>A pair's panel.</summary>
    /// <exception cref="LedgerException">The grid has no such panel.</exception>
    public Picture Panel(LedgerPair pair, int panel)
    {
        Has(pair, panel, Panels.Count, "panels");
        return Panels[panel];
    }

    /// <summary>What a pair's panel shows, in words.</summary>
    /// <exception cref="LedgerException">The grid has no such caption.</exception>
    public string Caption(LedgerPair pair, int panel)
    {
        if (OwnCaptions.TryGetValue(panel, out string? own))
        {
            return own;
        }
        Has(pair, panel, Prompt.Prompt.Captions.Count, "captions");
        return Prompt.Prompt.Captions[panel];
    }

    private void Has(LedgerPair pair, int panel, int count, string what)
    {
        if (panel < 0 || panel >= count)
        {
            throw LedgerException.OfRow(
                File,
                LedgerTable.Pairs.Name,
                pair.Id,
                panel == pair.First ? "first" : "second",
                $"a panel that is one of the grid's {count} {what}",
                $"panel {panel}");
        }
    }
}
