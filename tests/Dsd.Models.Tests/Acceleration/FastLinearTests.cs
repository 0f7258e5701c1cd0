using Dsd.Models.Layers;
using Dsd.Models.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Acceleration;

public sealed class FastLinearTests
{
    [Fact]
    public void Together_InInference_IsOneProductAndTheSame()
    {
        using DisposeScope scope = NewDisposeScope();
        AdaptableLinear[] row = Row();
        Tensor x = randn(2, 5, 4, generator: new Generator(1));
        Tensor[] alone = [.. row.Select(l => l.forward(x))];

        using IDisposable noGrad = no_grad();
        Tensor[] together = AdaptableLinear.Together(x, row);

        // Parts of one tensor have its rows' distance.
        Assert.All(together, t => Assert.Equal(9, t.stride(1)));
        Assert.All(alone.Zip(together), pair => Assert.True(pair.First.allclose(pair.Second, atol: 1e-6)));
    }

    [Fact]
    public void Together_OfLayersThatWereMovedOrLearn_GivesEachAProductOfItsOwn()
    {
        using DisposeScope scope = NewDisposeScope();
        AdaptableLinear[] row = Row();
        Tensor x = randn(2, 5, 4, generator: new Generator(1));

        Assert.All(AdaptableLinear.Together(x, row), t => Assert.Equal(3, t.stride(1)));
        using IDisposable noGrad = no_grad();
        Tensor before = AdaptableLinear.Together(x, row)[1].contiguous();
        row[1].to(ScalarType.Float64);
        row[1].to(ScalarType.Float32);
        Tensor[] after = AdaptableLinear.Together(x, row);

        Assert.All(after, t => Assert.Equal(3, t.stride(1)));
        Assert.True(before.allclose(after[1], atol: 1e-6));
    }

    [Fact]
    public void Together_UnderAnAdapter_CountsIt()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        AdaptableLinear[] row = Row();
        row[2].Adapters.Add(new LoraPair(new(ones(1, 4)), new(ones(3, 1)), 2));
        Tensor x = ones(1, 1, 4);

        Tensor[] together = AdaptableLinear.Together(x, row);

        Assert.True(together[2].allclose(row[2].forward(x)));
    }

    private static AdaptableLinear[] Row()
    {
        AdaptableLinear[] row = AdaptableLinear.Row(3, 4, 3, CPU, ScalarType.Float32);
        using Generator random = new(3);
        foreach (AdaptableLinear layer in row)
        {
            layer.Initialize(random);
        }
        return row;
    }
}
