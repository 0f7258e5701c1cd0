using Dsd.Curation.Judging;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Pairs;

/// <summary>Reads pairs for the page out of a run's folder.</summary>
internal sealed class PairReader(RunFolder folder)
{
    /// <summary>Where a panel's picture lies, relative to the page.</summary>
    public delegate (string Source, string Small) PanelAddress(string promptId, int panel, string version);

    /// <summary>A pair with all that the page shows of it; where a row cannot be read, what is wrong stands in its place, so that it hides no others.</summary>
    /// <param name="id">The pair's id.</param>
    /// <param name="address">Where its panels' pictures lie.</param>
    public PairView Read(string id, PanelAddress address)
    {
        try
        {
            return ReadWhole(id, address);
        }
        catch (LedgerException e)
        {
            return PairView.Unreadable(id, e.Message);
        }
    }

    private PairView ReadWhole(string id, PanelAddress address)
    {
        LedgerPair pair = folder.Ledger.PairOf(id);
        LedgerPrompt prompt = folder.Ledger.PromptOf(pair.PromptId);
        IReadOnlyDictionary<int, string> captions = folder.Ledger.PanelCaptionsOf(pair.PromptId);
        // A grid that is drawn again has another address, so that no browser shows the old one.
        string version = folder.Ledger.GridOf(pair.PromptId)?.Sha256 is { Length: >= 8 } sha ? sha[..8] : "none";
        PairJudgement j = pair.Judgement;
        return new PairView
        {
            Id = pair.Id,
            Subject = prompt.Prompt.Subject,
            Prompt = prompt.Prompt.Text,
            Undecided = j.Status == VerdictStatus.Undecided,
            Kept = j.Kept,
            Confidence = double.IsNaN(j.Confidence) ? null : j.Confidence,
            Reason = j.Reason,
            Reviewed = pair.Reviewed,
            First = Panel(pair.First),
            Second = Panel(pair.Second),
            Verdict = j.Verdict,
            Votes = [.. j.Votes.Select(
                v => new VoteView(v.Judge, v.Model, v.Kept, v.Reason, v.Verdict, v.Attempts, v.InputTokens, v.OutputTokens, v.Duration.TotalSeconds))],
        };

        PanelView Panel(int panel)
        {
            (string source, string small) = address(pair.PromptId, panel, version);
            bool lies = panel >= 0 && panel < prompt.Prompt.Layout.Panels;
            string prompted = lies && panel < prompt.Prompt.Captions.Count ? prompt.Prompt.Captions[panel] : prompt.Prompt.Text;
            return new PanelView(source, small, captions.GetValueOrDefault(panel, prompted), lies ? prompt.Prompt.Layout.PositionOf(panel) : $"panel {panel}");
        }
    }
}
