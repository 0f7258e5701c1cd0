using Dsd.Models.Training;
using Dsd.Models.Training.Cache;
using Dsd.Models.Training.Planning;
using Dsd.Testing;

namespace Dsd.Models.Tests.Training;

public sealed class TrainingModelTests
{
    private static readonly string Folder = Path.Combine(Fixtures.Repository, "tests", "fixtures", "tiny-flux");
    private static readonly LoraTrainingOptions Small = new() { Width = 32, Height = 32, MaxTextTokens = 64 };

    [Fact]
    public void Plan_OfSeveralSizes_IsThatOfTheLargest()
    {
        LoraTrainingOptions several = Small with { Buckets = true, Resolutions = [32, 256, 64] };
        // A long frame of the same area may have a few tokens more.
        Assert.Equal(AspectBuckets.OfArea(256 * 256).Max(size => Bytes(Small with { Width = size.Width, Height = size.Height })), Bytes(several));
        Assert.True(Bytes(Small) < Bytes(several));
    }

    [Fact]
    public void Plan_RefusesWhatContradictsItself()
    {
        string Refused(LoraTrainingOptions training, TrainingBase held) =>
            Assert.Throws<ArgumentException>(() => TrainingModel.Plan(Folder, training, held)).Message;
        Assert.Contains("option Buckets is false", Refused(Small with { Resolutions = [64] }, new TrainingBase()), StringComparison.Ordinal);
        Assert.Contains(
            "Option MemoryBytes chooses the setting, and option Setting names one, 'whole'",
            Refused(Small, new TrainingBase { Setting = "whole", MemoryBytes = 1L << 40 }),
            StringComparison.Ordinal);
        Assert.Contains("needs a GPU", Refused(Small, new TrainingBase { Setting = "float8-streamed" }), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_OnTheCpu_ChoosesBetweenTheSettingsThatItHas()
    {
        (TrainingPlan chosen, IReadOnlyList<TrainingPlan> all) = TrainingModel.Plan(Folder, Small, new TrainingBase());
        Assert.Equal(["whole", "recomputed"], all.Select(p => p.Setting.Name));
        Assert.Same(all[0], chosen);
        Assert.Equal("recomputed", TrainingModel.Plan(Folder, Small, new TrainingBase { MemoryBytes = all[1].MemoryBytes }).Chosen.Setting.Name);
    }

    private static long Bytes(LoraTrainingOptions training) => TrainingModel.Plan(Folder, training, new TrainingBase()).Chosen.MemoryBytes;
}
