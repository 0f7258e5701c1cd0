using Dsd.Models.Acceleration;
using Dsd.Models.Sampling;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Flux;

public sealed class FirstBlockCacheTests
{
    [Fact]
    public void Rows_AreJudgedAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        using FirstBlockCache cache = new(0.1f);
        Tensor before = zeros(2, 3, 4);
        Tensor first = ones(2, 3, 4);
        List<long[]> asked = [];
        Tensor Others(long[] rows)
        {
            asked.Add(rows);
            return full([rows.Length, 3, 4], 10f * asked.Count);
        }

        Tensor Apply(Tensor after)
        {
            long[] rows = cache.Changed(before, after);
            return cache.Complete(after, rows, rows.Length == 0 ? after : Others(rows));
        }

        Tensor one = Apply(before + first);
        // The first row changes by a twentieth, the second by a fifth.
        Tensor next = cat([first[..1] * 1.05f, first[1..] * 1.2f]);
        Tensor two = Apply(before + next);
        Tensor three = Apply(before + next);

        Assert.Equal([[0, 1], [1]], asked);
        TensorAssert.Equal(full([2, 3, 4], 10f), one);
        TensorAssert.Close(cat([full([1, 3, 4], 1.05f + 9), full([1, 3, 4], 20f)]), two, 1e-5);
        TensorAssert.Close(two, three, 1e-5);
        Assert.Equal((3, 3), (cache.Computed, cache.LeftOut));
    }

    [Fact]
    public void NoNumber_IsAChange()
    {
        using DisposeScope scope = NewDisposeScope();
        using FirstBlockCache cache = new(1f);
        Tensor before = zeros(1, 2, 2);
        cache.Complete(before + 1, cache.Changed(before, before + 1), ones(1, 2, 2));
        cache.Complete(before, cache.Changed(before, before + float.NaN), ones(1, 2, 2));

        Assert.Equal(2, cache.Computed);
    }

    [Fact]
    public void Picture_IsTheSameAloneAndInABatch()
    {
        using TextToImagePipeline pipeline = TextToImagePipeline.Load(Fixtures.Path("tiny-flux"));
        int side = 2 * pipeline.Model.Vae.Config.Factor;
        TextToImageOptions options = new() { Width = 3 * side, Height = 2 * side, Steps = 6, MaxTextTokens = 16, BlockCache = 0.3f };
        using Tensor both = pipeline.GenerateLatents([new("a fox", 5), new("a cup on a table", 6)], options);
        using Tensor alone = pipeline.GenerateLatents([new("a cup on a table", 6)], options);
        using Tensor second = both[1..];

        TensorAssert.Close(alone, second, 1e-4);
    }
}
