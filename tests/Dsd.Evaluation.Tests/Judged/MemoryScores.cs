using System.Collections.Concurrent;
using Dsd.Curation.Judging;

namespace Dsd.Evaluation.Tests.Judged;

/// <summary>A store that forgets when the test is over.</summary>
internal sealed class MemoryScores : IScoreStore
{
    public ConcurrentDictionary<(string, string, int, string), JudgedScore> Scores { get; } = [];

    public Task<JudgedScore?> FindAsync(string item, string metric, int repeat, string judge) =>
        Task.FromResult(Scores.GetValueOrDefault((item, metric, repeat, judge)));

    public Task WriteAsync(JudgedScore score)
    {
        Scores[(score.Item, score.Metric, score.Repeat, score.Judge)] = score;
        return Task.CompletedTask;
    }
}
