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
}
