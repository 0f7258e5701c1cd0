using Dsd.Runs.Ledger;

namespace Dsd.Review.Serving;

/// <summary>
/// Lists of pairs that the page leafs through. A list stays as it was made: verdicts given meanwhile move no pair, so none is skipped and
/// each keeps its number. The last few are remembered.
/// </summary>
internal sealed class PairLists(RunLedger ledger)
{
    private const int MostLists = 8;
    private readonly Lock _gate = new();
    private readonly List<(long Number, IReadOnlyList<string> Ids)> _lists = [];
    private long _last;

    /// <summary>Makes a list.</summary>
    public (long Number, int Count) Make(PairFilter filter)
    {
        IReadOnlyList<string> ids = ledger.PairIds(filter);
        lock (_gate)
        {
            _lists.Add((++_last, ids));
            if (_lists.Count > MostLists)
            {
                _lists.RemoveAt(0);
            }
            return (_last, ids.Count);
        }
    }

    /// <summary>A list's ids; null where it is forgotten or was never made.</summary>
    public IReadOnlyList<string>? Of(long number)
    {
        lock (_gate)
        {
            return _lists.FirstOrDefault(l => l.Number == number).Ids;
        }
    }
}
