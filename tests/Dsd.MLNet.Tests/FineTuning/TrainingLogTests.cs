using Dsd.MLNet.FineTuning;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Training;
using Dsd.Models.Training.Planning;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet.Tests.FineTuning;

public sealed class TrainingLogTests
{
    private readonly MLContext _ml = new(1);
    private readonly List<string> _warnings = [];
    private readonly List<TrainingProgress> _told = [];
    private readonly TrainingLog _log;

    public TrainingLogTests()
    {
        _ml.Log += (_, e) =>
        {
            if (e.Kind == ChannelMessageKind.Warning)
            {
                _warnings.Add(e.RawMessage);
            }
        };
        StageHost host = new(_ml, nameof(LoraFineTuner), default);
        _log = new TrainingLog(host, new TrainingPlan(TrainingSetting.Whole, 0, null), null, new Reports(_told.Add));
    }

    [Fact]
    public void SkippedSteps_AreWarnedOfOnceEach()
    {
        foreach (long skipped in new long[] { 0, 2, 2, 3 })
        {
            _log.Report(Report(_told.Count + 1, skipped));
        }
        Assert.Equal(["2 of 2 steps", "3 of 4 steps"], _warnings.Select(w => w.Split(" changed nothing")[0]));
        Assert.Equal([1L, 2L, 3L, 4L], _told.Select(r => r.Step));
    }

    [Fact]
    public void DamagedEntriesOfTheCache_AreWarnedOf()
    {
        _log.End(new CacheCounts(5, 1, 0));
        Assert.Empty(_warnings);
        _log.End(new CacheCounts(5, 0, 2));
        Assert.StartsWith("2 entries of the cache's folder were damaged", Assert.Single(_warnings));
    }

    private static TrainingProgress Report(long step, long skipped) => new(step, 10, 0.5f, 1, TimeSpan.FromSeconds(step)) { Skipped = skipped };
}
