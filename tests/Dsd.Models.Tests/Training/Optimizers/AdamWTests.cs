using Dsd.Models.Training.Optimizers;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using AdamW = Dsd.Models.Training.Optimizers.AdamW;

namespace Dsd.Models.Tests.Training.Optimizers;

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
            optimizer.Step(0.01);
        }
        TensorAssert.Close(theirs.weight!, ours.weight!, 1e-5);
        TensorAssert.Close(theirs.bias!, ours.bias!, 1e-5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(17)]
    public void Step_InPieces_GivesWhatOnePieceGives(long length)
    {
        (Linear whole, Linear cut) = Twins();
        using Tensor input = randn(7, 5);
        using AdamW one = new(whole.parameters(), new AdamWOptions());
        using AdamW several = new(cut.parameters(), new AdamWOptions { PieceLength = length });
        Steps(whole, one, input, 3);
        Steps(cut, several, input, 3);
        TensorAssert.Close(whole.weight!, cut.weight!, 1e-6);
        TensorAssert.Close(whole.bias!, cut.bias!, 1e-6);
    }

    [Fact]
    public void Weights_OfFloat32Parameters_AreTheParametersThemselves()
    {
        using Linear module = nn.Linear(5, 3);
        using AdamW optimizer = new(module.parameters(), new AdamWOptions());
        using (no_grad())
        {
            module.weight!.fill_(7);
        }
        Assert.Equal(7, optimizer.Weights[0].max().item<float>());
    }

    [Fact]
    public void Step_OfBfloat16Parameters_KeepsTheirWeightsInFull()
    {
        using Linear module = nn.Linear(5, 3, dtype: ScalarType.BFloat16);
        using AdamW optimizer = new(module.parameters(), new AdamWOptions());
        using Tensor input = randn(7, 5, dtype: ScalarType.BFloat16);
        for (int i = 0; i < 10; i++)
        {
            module.forward(input).square().sum().backward();
            optimizer.Step(1e-5); // far below bfloat16's precision
        }
        Assert.Equal(ScalarType.Float32, optimizer.Weights[0].dtype);
        TensorAssert.Equal(optimizer.Weights[0].to(ScalarType.BFloat16), module.weight!.reshape(-1));
    }

    [Fact]
    public void Step_WithAGradientThatIsNoNumber_ChangesNothing()
    {
        using Linear module = nn.Linear(5, 3);
        using AdamW optimizer = new(module.parameters(), new AdamWOptions());
        using Tensor input = randn(7, 5);
        Steps(module, optimizer, input, 2);
        using Tensor before = module.weight!.detach().clone();
        (module.forward(input).sum() * float.NaN).backward();
        Assert.True(float.IsNaN(optimizer.Step(0.01)));
        TensorAssert.Equal(before, module.weight!);
        Assert.Equal(2, optimizer.Steps);
        Assert.Null(module.weight!.grad);
    }

    [Fact]
    public void Step_LeavesNoTensorBehind()
    {
        using Linear module = nn.Linear(5, 3);
        using Tensor input = randn(7, 5);
        LiveTensors.AssertUnchanged(() =>
        {
            using DisposeScope scope = NewDisposeScope();
            using AdamW optimizer = new(module.parameters(), new AdamWOptions { PieceLength = 4 });
            Steps(module, optimizer, input, 2);
        });
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
        Assert.Contains("expected 9 numbers, found 4", e.Message);
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
            optimizer.Step(0.01);
        }
    }
}
