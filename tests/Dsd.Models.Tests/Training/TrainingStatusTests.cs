using Dsd.Models.Training;

namespace Dsd.Models.Tests.Training;

public sealed class TrainingStatusTests
{
    private static readonly TrainingProgress First = new(30, 100, 0.25f, 1, TimeSpan.FromSeconds(5)) { Began = 20 };

    [Fact]
    public void SecondsAStep_AreThoseSinceTheReportBefore()
    {
        // A run that goes on has steps that another process took.
        Assert.Equal(0.5, TrainingStatus.Of(First, null, null).SecondsPerStep, 1e-9);
        TrainingStatus second = TrainingStatus.Of(First with { Step = 40, Elapsed = TimeSpan.FromSeconds(25) }, First, null);
        Assert.Equal(2, second.SecondsPerStep, 1e-9);
        Assert.InRange(second.MemoryBytes, 1 << 20, 1L << 40);
    }

    [Fact]
    public void TheText_HasLossSpeedMemoryAndTimeLeft()
    {
        TrainingStatus status = new(First, 0.5, 3L << 29);
        Assert.Equal("step 30 of 100, loss 0.2500, 2.00 steps/s, 1.5 GiB, 35 s left", status.ToString());
        Assert.Equal("step 30 of 100, loss 0.2500, 0.10 steps/s, 1.5 GiB, 11 min 40 s left", (status with { SecondsPerStep = 10 }).ToString());
        Assert.Equal("step 30 of 100, loss 0.2500, 0.01 steps/s, 1.5 GiB, 1 h 56 min left", (status with { SecondsPerStep = 100 }).ToString());
        TrainingProgress odd = First with { Loss = float.NaN, ValidationLoss = 1.5f, Skipped = 3 };
        Assert.Equal(
            "step 30 of 100, loss not finite, held-out 1.5000, 2.00 steps/s, 1.5 GiB, 3 skipped, 35 s left", (status with { Progress = odd }).ToString());
    }
}
