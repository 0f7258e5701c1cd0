using Dsd.Models.Training.Optimizers;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using AdamW = Dsd.Models.Training.Optimizers.AdamW;

namespace Dsd.Models.Tests.Training.Optimizers;

public class EightBitAdamWTests
{
    [Fact]
    public void Step_StaysNearAdamWs()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(1);
        Tensor first = randn([3, 700], generator: generator);
        (Parameter full, Parameter small) = (new(first.clone()), new(first.clone()));
        using AdamW reference = new([full], new AdamWOptions());
        using EightBitAdamW optimizer = new([small], new EightBitAdamWOptions());
        // Gradients of very different sizes within a block, three powers of ten: 0.084 was measured.
        Tensor sizes = pow(10, rand([3, 700], generator: generator) * -3);
        for (int i = 0; i < 200; i++)
        {
            Tensor gradient = (first + randn([3, 700], generator: generator)) * sizes;
            (full.grad, small.grad) = (gradient.clone(), gradient.clone());
            reference.Step(1e-2);
            optimizer.Step(1e-2);
        }
        Tensor way = full.detach() - first;
        Tensor error = (full - small).detach();
        Assert.True((error.norm() / way.norm()).item<float>() < 0.1, $"{(error.norm() / way.norm()).item<float>()}");
    }

    /// <summary>Rounding to the nearest code would hold a mean of squares fast; here it decays as it should, on average.</summary>
    [Fact]
    public void Square_WithoutGradients_Decays()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(2);
        Parameter parameter = new(zeros(16, 256));
        using EightBitAdamW optimizer = new([parameter], new EightBitAdamWOptions { MaxGradientNorm = 1e9, WeightDecay = 0 });
        Tensor first = rand([16, 256], generator: generator) * 0.9 + 0.1;
        Tensor one = zeros(16, 256);
        first[.., 0] = 1;
        one[.., 0] = 1; // one number of each block keeps the scale up
        parameter.grad = first.clone();
        optimizer.Step(0);
        for (int i = 0; i < 300; i++)
        {
            parameter.grad = one.clone();
            optimizer.Step(0);
        }
        IReadOnlyDictionary<string, Tensor> state = optimizer.State();
        Tensor square = (state["square_code"].to(ScalarType.Float32) / 255).pow(4).view(16, 256) * state["square_scale"].unsqueeze(1);
        Tensor expected = first.square() * 0.001 * Math.Pow(0.999, 300);
        float share = (square[.., 1..].sum() / expected[.., 1..].sum()).item<float>();
        Assert.InRange(share, 0.98f, 1.02f);
        Assert.True(state["square_code"].min().item<byte>() >= 1);
    }

    [Fact]
    public void State_TakesTwoBytesANumber()
    {
        using Parameter parameter = new(zeros(1024));
        using EightBitAdamW optimizer = new([parameter], new EightBitAdamWOptions());
        long bytes = optimizer.State().Where(t => t.Key is not "steps" and not "weights.0").Sum(t => t.Value.numel() * t.Value.element_size());
        Assert.Equal(2 * 1024 + 2 * 4 * 4, bytes);
    }

    [Fact]
    public void Resume_GivesTheSameBits_ForSizesThatAreNoWholeBlocks()
    {
        using DisposeScope scope = NewDisposeScope();
        EightBitAdamWOptions options = new() { PieceLength = 512 };
        Parameter[] straight = [new(ones(300)), new(ones(10, 2)), new(ones(700))];
        Parameter[] broken = [new(ones(300)), new(ones(10, 2)), new(ones(700))];
        using EightBitAdamW whole = new(straight, options);
        Learn(straight, whole, 0, 6);
        using EightBitAdamW first = new(broken, options);
        Learn(broken, first, 0, 3);
        Parameter[] copies = [.. broken.Select(p => new Parameter(zeros_like(p)))];
        using EightBitAdamW second = new(copies, options);
        second.Resume(first.State());
        Learn(copies, second, 3, 6);
        Assert.All(straight.Zip(copies), p => TensorAssert.Equal(p.First, p.Second));
    }

    private static void Learn(Parameter[] parameters, Optimizer optimizer, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            using Generator generator = new((ulong)i);
            foreach (Parameter parameter in parameters)
            {
                parameter.grad = randn(parameter.shape, generator: generator);
            }
            optimizer.Step(0.01);
        }
    }
}
