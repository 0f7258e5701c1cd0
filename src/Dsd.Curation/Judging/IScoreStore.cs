namespace Dsd.Curation.Judging;

/// <summary>Where scores are kept, so that work that was cut off goes on without asking again. Safe to use from many threads.</summary>
public interface IScoreStore
{
    /// <summary>The score that was written for this item, metric, repeat and judge; null where none was.</summary>
    Task<JudgedScore?> FindAsync(string item, string metric, int repeat, string judge);

    /// <summary>Writes a score. It takes the place of one of the same item, metric, repeat and judge.</summary>
    Task WriteAsync(JudgedScore score);
}
