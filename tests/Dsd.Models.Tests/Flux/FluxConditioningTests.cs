using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Flux;

public sealed class FluxConditioningTests
{
    private static readonly FluxConfig Config = new()
    {
        InChannels = 8,
        NumLayers = 1,
        NumSingleLayers = 2,
        AttentionHeadDim = 8,
        NumAttentionHeads = 2,
        JointAttentionDim = 6,
        PooledProjectionDim = 4,
        GuidanceEmbeds = true,
        Conditional = true,
        AxesDimsRope = [2, 2, 4],
    };

    [Fact]
    public void Steps_PreparedTogether_GiveWhatEachGivesAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using FluxTransformer transformer = Wild();
        (Tensor latents, Tensor condition, Tensor text, Tensor pooled, Tensor guidance, Tensor imageIds, Tensor textIds) = Inputs();
        float[] sigmas = [1f, 0.6f, 0.2f];
        using FluxConditioning steps = transformer.Embed(condition, text, pooled, tensor(sigmas).repeat_interleave(2), guidance, imageIds, textIds);

        for (int i = 0; i < sigmas.Length; i++)
        {
            Tensor alone = transformer.forward(latents, condition, text, pooled, full(2, sigmas[i]), guidance, imageIds, textIds);
            Tensor together = transformer.forward(latents, steps, i);

            Assert.True(alone.allclose(together, rtol: 1e-4, atol: 1e-5), $"step {i}: {(alone - together).abs().max().item<float>()}");
        }
    }

    [Fact]
    public void Steps_Disposed_LeaveNoTensor()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using FluxTransformer transformer = Wild();
        (Tensor latents, Tensor condition, Tensor text, Tensor pooled, Tensor guidance, Tensor imageIds, Tensor textIds) = Inputs();
        Tensor sigmas = tensor(new[] { 1f, 1f, 0.5f, 0.5f });
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        FluxConditioning steps = transformer.Embed(condition, text, pooled, sigmas, guidance, imageIds, textIds);
        transformer.forward(latents, steps, 0).Dispose();
        transformer.forward(latents, steps, 1).Dispose();
        long between = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        steps.Dispose();

        Assert.True(between > before);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData(1e-6f, 0)]
    [InlineData(1f, 4)]
    public void BlockCache_LeavesOutWhatTheThresholdLets(float threshold, int leftOut)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using FluxTransformer transformer = Wild();
        (Tensor latents, Tensor condition, Tensor text, Tensor pooled, Tensor guidance, Tensor imageIds, Tensor textIds) = Inputs();
        Tensor sigmas = tensor(new[] { 1f, 0.9995f, 0.999f }).repeat_interleave(2);
        using FluxConditioning all = transformer.Embed(condition, text, pooled, sigmas, guidance, imageIds, textIds);
        using FluxConditioning some = transformer.Embed(condition, text, pooled, sigmas, guidance, imageIds, textIds, threshold);

        for (int i = 0; i < 3; i++)
        {
            (Tensor expected, Tensor found) = (transformer.forward(latents, all, i), transformer.forward(latents, some, i));
            Assert.Equal(i == 0 || leftOut == 0, expected.allclose(found, rtol: 1e-4, atol: 1e-5));
        }
        Assert.Equal((6 - leftOut, leftOut), (some.CacheCount!.Value.Computed, some.CacheCount.Value.LeftOut));
    }

    // Modulations and the last projection start at zero, where every step would give the same.
    private static FluxTransformer Wild()
    {
        FluxTransformer transformer = new(Config);
        using Generator random = new(1);
        foreach (Tensor parameter in transformer.parameters())
        {
            parameter.copy_(randn(parameter.shape, generator: random) * 0.3);
        }
        return transformer;
    }

    private static (Tensor Latents, Tensor Condition, Tensor Text, Tensor Pooled, Tensor Guidance, Tensor ImageIds, Tensor TextIds) Inputs()
    {
        using Generator random = new(2);
        Tensor Draw(params long[] shape) => randn(shape, generator: random);
        return (Draw(2, 8, 8), Draw(2, 8, 8), Draw(2, 3, 6), Draw(2, 4), full(2, 3.5f), LatentPacking.ImageIds(4, 8, CPU), LatentPacking.TextIds(3, CPU));
    }
}
