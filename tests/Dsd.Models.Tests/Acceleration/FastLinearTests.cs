using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using Dsd.Models.Lora;
using Dsd.Testing;
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
        Tensor[] together = FastLinear.Together(x, row);

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

        Assert.All(FastLinear.Together(x, row), t => Assert.Equal(3, t.stride(1)));
        using IDisposable noGrad = no_grad();
        Tensor before = FastLinear.Together(x, row)[1].contiguous();
        row[1].to(ScalarType.Float64);
        row[1].to(ScalarType.Float32);
        Tensor[] after = FastLinear.Together(x, row);

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

        Tensor[] together = FastLinear.Together(x, row);

        Assert.True(together[2].allclose(row[2].forward(x)));
    }

    [Fact]
    public void Together_WithinAPlainScope_GivesEachAProductOfItsOwn()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using IDisposable plain = FastPaths.Plain();

        Assert.All(FastLinear.Together(randn(2, 5, 4), Row()), t => Assert.Equal(3, t.stride(1)));
    }

    [GpuFact]
    public void Product_UnderAdapters_IsNearTheFormula()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Device gpu = new(DeviceType.CUDA, 0);
        Tensor Draw(params long[] shape) => randn(shape, generator: new Generator(5)).to(ScalarType.BFloat16).to(gpu);
        AdaptableLinear[] row = EndToEnd.New(3, 64, 32, gpu, ScalarType.BFloat16);
        foreach (AdaptableLinear layer in row)
        {
            layer.Weight.normal_(0, 0.1);
            layer.Bias.normal_();
        }
        row[0].Adapters.Add(new LoraPair(new(Draw(8, 64) * 0.1), new(Draw(32, 8) * 0.1), 0.5f));
        row[0].Adapters.Add(new First());
        row[2].Adapters.Add(new First());
        row[2].Adapters.Add(new LoraPair(new(Draw(8, 64) * 0.1), new(Draw(32, 8) * 0.1), 2));
        Tensor x = Draw(2, 8, 64);
        Tensor[] expected;
        using (FastPaths.Plain())
        {
            expected = [.. row.Select(l => l.forward(x))];
        }

        Tensor[] together = FastLinear.Together(x, row);

        Assert.Equal(96, together[0].stride(1));
        for (int i = 0; i < row.Length; i++)
        {
            Assert.True(expected[i].allclose(together[i], rtol: 0.02, atol: 0.04), $"layer {i} of three in one product");
            Assert.True(expected[i].allclose(row[i].forward(x), rtol: 0.02, atol: 0.04), $"layer {i} alone");
        }
    }

    /// <summary>Adds the input's first channel to every output.</summary>
    private sealed class First : ILinearAdapter
    {
        public Tensor AddTo(Tensor y, Tensor x, Tensor? beside = null) => y + x.narrow(1, 0, 1);
    }

    private static AdaptableLinear[] Row()
    {
        AdaptableLinear[] row = EndToEnd.New(3, 4, 3, CPU, ScalarType.Float32);
        using Generator random = new(3);
        foreach (AdaptableLinear layer in row)
        {
            layer.Initialize(random);
        }
        return row;
    }
}
