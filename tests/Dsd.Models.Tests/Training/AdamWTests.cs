using Dsd.Models.Training;
using Dsd.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;
using AdamW = Dsd.Models.Training.AdamW;

namespace Dsd.Models.Tests.Training;

public class AdamWTests
{
    [Fact]
    public void Step_FollowsTorchSharpsOwnOptimiser()
    {
        (Linear ours, Linear theirs) = Twins();
        using AdamW optimizer = new(ours.parameters(), new AdamWOptions());
        using optim.Optimizer reference = optim.AdamW(theirs.parameters(), 0.01, weight_decay: 0.01);
        using Tensor input = randn(7, 5);
        for (int i = 0; i < 5; i++)
        {
            (ours.forward(input).square().sum() * 3).backward();
            (theirs.forward(input).square().sum() * 3).backward();
            nn.utils.clip_grad_norm_(theirs.parameters(), 1.0);
            reference.step();
            reference.zero_grad();
            optimizer.Step(0.01).Dispose();
        }
        TensorAssert.Close(theirs.weight!, ours.weight!, 1e-5);
        TensorAssert.Close(theirs.bias!, ours.bias!, 1e-5);
    }

    [Fact]
    public void Resume_GoesOnAsIfNothingHadHappened()
    {
        (Linear straight, Linear broken) = Twins();
        using Tensor input = randn(7, 5);
        using AdamW whole = new(straight.parameters(), new AdamWOptions());
        Steps(straight, whole, input, 4);
        using (AdamW first = new(broken.parameters(), new AdamWOptions()))
        {
            Steps(broken, first, input, 2);
            using AdamW second = new(broken.parameters(), new AdamWOptions());
            second.Resume(first.State());
            Steps(broken, second, input, 2);
        }
        TensorAssert.Equal(straight.weight!, broken.weight!);
    }

    [Fact]
    public void Resume_RefusesTheStateOfOtherParameters()
    {
        using AdamW small = new(nn.Linear(2, 2).parameters(), new AdamWOptions());
        using AdamW large = new(nn.Linear(3, 3).parameters(), new AdamWOptions());
        ArgumentException e = Assert.Throws<ArgumentException>(() => large.Resume(small.State()));
        Assert.Contains("expected 12 numbers, found 6", e.Message);
    }

    private static (Linear, Linear) Twins()
    {
        Linear a = nn.Linear(5, 3);
        Linear b = nn.Linear(5, 3);
        b.load_state_dict(a.state_dict());
        return (a, b);
    }

    private static void Steps(Linear module, AdamW optimizer, Tensor input, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            module.forward(input).square().sum().backward();
            optimizer.Step(0.01).Dispose();
        }
    }
}
