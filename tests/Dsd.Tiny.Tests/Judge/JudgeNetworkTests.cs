using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Tests.Judge;

[Collection("Torch's random numbers")]
public class JudgeNetworkTests
{
    [Fact]
    public void Constructor_KeepsTheDefaultNetworkSmall()
    {
        using JudgeNetwork network = new(JudgeConfig.ForWorld);
        Assert.InRange(network.parameters().Sum(p => p.numel()), 300_000, 400_000);
    }

    [Fact]
    public void Forward_GivesOneHeadForEveryAttribute()
    {
        using DisposeScope scope = NewDisposeScope();
        using JudgeNetwork network = TestJudge.Network();
        Tensor[] heads = network.Split(network.forward(zeros(2, 3, 32, 32)));
        Assert.Equal(Subject.Kinds.Select(kind => (long)kind.Count), heads.Select(head => head.shape[1]));
    }

    [Fact]
    public void Loss_StartsNearThatOfGuessing()
    {
        using DisposeScope scope = NewDisposeScope();
        using JudgeNetwork network = TestJudge.Network();
        double guessing = Subject.Kinds.Sum(kind => Math.Log(kind.Count));
        Tensor loss = network.Loss(rand(4, 3, 32, 32) * 2 - 1, zeros(4, Subject.Kinds.Count, dtype: ScalarType.Int64));
        Assert.InRange(loss.item<float>(), 0.7 * guessing, 1.3 * guessing);
    }

    [Fact]
    public void Loss_LeavesNoTensorBehind()
    {
        using JudgeNetwork network = TestJudge.Network();
        void Once()
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            network.Loss(zeros(2, 3, 32, 32), zeros(2, Subject.Kinds.Count, dtype: ScalarType.Int64));
        }
        Once();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Once();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
