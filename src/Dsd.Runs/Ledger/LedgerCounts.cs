namespace Dsd.Runs.Ledger;

/// <summary>What stands in a ledger.</summary>
/// <param name="Captions">Captions whose prompts are written.</param>
/// <param name="Prompts">Grids to be drawn.</param>
/// <param name="Grids">Grids drawn.</param>
/// <param name="Pairs">Pairs judged, those with them that a gate kept from the judge.</param>
/// <param name="Kept">Pairs kept by judge and people.</param>
/// <param name="Undecided">Pairs on which no judge could be understood.</param>
/// <param name="Reviewed">Pairs that a person looked at.</param>
/// <param name="Failures">Pieces of work that failed and are left for the next run.</param>
/// <param name="TooDifferent">Pairs that a gate kept from the judge, since their pictures are too different.</param>
/// <param name="NearCopies">Pairs that a gate kept from the judge, since one picture is nearly a copy of the other.</param>
public sealed record LedgerCounts(
    long Captions, long Prompts, long Grids, long Pairs, long Kept, long Undecided, long Reviewed, long Failures, long TooDifferent = 0, long NearCopies = 0);
