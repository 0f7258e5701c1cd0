using Dsd.Lab.Training;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public sealed class NoisedTests
{
    private static readonly InContextConfig Clean = new() { Share = 1, TogetherShare = 0, CleanShare = 1, NoiseShift = 0 };

    [Fact]
    public void Draw_LeavesAHeldPanelAsItIsAloneAndLetsItLearnNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        LatentPool.Batch batch = Pairs(inContext: true);

        Noised noised = Noised.Draw(batch, Clean, seed: 1, step: 3);

        for (int grid = 0; grid < 8; grid++)
        {
            using DisposeScope inner = NewDisposeScope();
            int held = noised.Weight![grid, 0, 0].item<float>() == 0 ? 0 : 1;
            for (int token = 0; token < 6; token++)
            {
                bool isHeld = batch.PanelOfToken[token].item<long>() == held;
                Assert.Equal(isHeld ? 0 : 2, noised.Weight[grid, token, 0].item<float>());
                Assert.Equal(isHeld, noised.Latents[grid, token].equal(batch.Alone![grid, token]).all().item<bool>());
            }
        }
        // What a model says of held panels changes nothing, what it says of the others does.
        Tensor truth = noised.Velocity;
        Assert.Equal(0, Noised.Loss(truth + 5 * noised.Weight!.eq(0), truth, noised.Weight).item<float>());
        // One half of the tokens is off by one, with a weight of two.
        Assert.Equal(1, Noised.Loss(truth + noised.Weight.gt(0).to(float32), truth, noised.Weight).item<float>(), 1e-4);
    }

    [Fact]
    public void Draw_NoisesTheSamePanelsInTheSameWayForTheSameSeedAndStep()
    {
        using DisposeScope scope = NewDisposeScope();
        LatentPool.Batch batch = Pairs(inContext: true);
        Noised first = Noised.Draw(batch, Clean, seed: 1, step: 3);

        TensorAssert.Close(first.Latents, Noised.Draw(batch, Clean, seed: 1, step: 3).Latents, 0);
        Assert.False(first.Latents.equal(Noised.Draw(batch, Clean, seed: 1, step: 4).Latents).all().item<bool>());
    }

    [Fact]
    public void Draw_DoesToOtherGridsWhatItDidBeforeThereWereInContextOnes()
    {
        using DisposeScope scope = NewDisposeScope();
        LatentPool.Batch batch = Pairs(inContext: false);

        Noised noised = Noised.Draw(batch, Clean with { NoiseShift = 2 }, seed: 1, step: 3);

        Assert.Null(noised.Weight);
        // x_t = (1 − σ)·x_0 + σ·noise, and the velocity is noise − x_0.
        Tensor sigma = noised.Sigma.reshape(-1, 1, 1);
        TensorAssert.Close(batch.Latents + sigma * noised.Velocity, noised.Latents, 1e-5);
    }

    [Fact]
    public void Draw_WeighsATokenByWhatItTellsOfItsSubjectBesideWhetherItLearns()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor detail = (arange(6, dtype: float32) + 1).expand(8, 6);

        Tensor plain = Noised.Draw(Pairs(inContext: true), Clean, seed: 1, step: 3).Weight!;

        TensorAssert.Close(plain * detail.unsqueeze(-1), Noised.Draw(Pairs(inContext: true, detail), Clean, seed: 1, step: 3).Weight!, 0);
        TensorAssert.Close(detail.unsqueeze(-1), Noised.Draw(Pairs(inContext: false, detail), Clean, seed: 1, step: 3).Weight!, 0);
    }

    [Fact]
    public void Draw_AlsoSaysWhatGridsLookLikeWithNoPanelHeld()
    {
        using DisposeScope scope = NewDisposeScope();
        LatentPool.Batch batch = Pairs(inContext: true);

        Noised noised = Noised.Draw(batch, Clean, seed: 1, step: 3);

        TensorAssert.Close(batch.Latents + noised.Sigma.reshape(-1, 1, 1) * noised.Velocity, noised.Alike, 1e-5);
        // Panels that learn look the same in both.
        Tensor learns = noised.Weight!.gt(0);
        Assert.Equal(0, ((noised.Alike - noised.Latents) * learns).abs().max().item<float>());
    }

    [Fact]
    public void Draw_MovesInContextGridsTowardsNoiseIfAsked()
    {
        using DisposeScope scope = NewDisposeScope();
        LatentPool.Batch batch = Pairs(inContext: true);

        Tensor plain = Noised.Draw(batch, Clean, seed: 1, step: 3).Sigma;
        Tensor moved = Noised.Draw(batch, Clean with { NoiseShift = 1 }, seed: 1, step: 3).Sigma;

        Assert.True(moved.gt(plain).all().item<bool>());
    }

    // Eight grids of two panels, each of three tokens, one below another.
    private static LatentPool.Batch Pairs(bool inContext, Tensor? detail = null)
    {
        Tensor latents = arange(8 * 6 * 4, dtype: float32).reshape(8, 6, 4) / 100;
        Tensor ids = zeros(8, 1, dtype: int64);
        return new LatentPool.Batch(
            latents, ids, ids, zeros(6, 3), null, [.. Enumerable.Repeat(inContext, 8)], 2, tensor(new long[] { 0, 1, 0, 1, 0, 1 }), latents + 7,
            detail, zeros(8, 2, 9, dtype: int64));
    }
}
