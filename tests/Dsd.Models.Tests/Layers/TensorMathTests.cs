using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Dsd.Models.Layers;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Layers;

/// <summary>Arithmetic gives TorchSharp's own values, and its numbers live until it is done: docs/decisions/numbers-of-tensors.md.</summary>
public sealed class TensorMathTests
{
    private static readonly (string Name, Func<Tensor, Tensor, Tensor> Ours, Func<Tensor, Tensor, Tensor> Theirs)[] _all =
    [
        ("tensors", (x, y) => x.Plus(y), (x, y) => x + y),
        ("plus", (x, _) => x.Plus(0.1), (x, _) => x + 0.1),
        ("plus whole", (x, _) => x.Plus(2), (x, _) => x + 2),
        ("minus", (x, _) => x.Minus(0.1f), (x, _) => x - 0.1f),
        ("minus whole", (x, _) => x.Minus(3), (x, _) => x - 3),
        ("from", (x, _) => (-x).Plus(1), (x, _) => 1 - x),
        ("times", (x, _) => x.Times(0.3), (x, _) => x * 0.3),
        ("times whole", (x, _) => x.Times(1000), (x, _) => x * 1000),
        ("over", (x, _) => x.Over(127.5), (x, _) => x / 127.5),
        ("over whole", (x, _) => x.Over(3), (x, _) => x / 3),
        ("square", (x, _) => x.Squared(), (x, _) => x.square()),
        ("clamp", (x, _) => x.Clamped(-0.5, 0.25), (x, _) => x.clamp(-0.5, 0.25)),
        ("least", (x, _) => x.AtLeast(0.1), (x, _) => x.clamp_min(0.1)),
        ("product", (x, y) => x.PlusProduct(y, x), (x, y) => addcmul(x, y, x, 1)),
        ("add_", (x, y) => x.clone().AddInPlace(y), (x, y) => x.clone().add_(y)),
        ("add_ times", (x, y) => x.clone().AddInPlace(y, 0.7), (x, y) => x.clone().add_(y, alpha: 0.7)),
        ("add_ number", (x, _) => x.clone().AddInPlace(1e-8), (x, _) => x.clone().add_(1e-8)),
        ("add_ whole", (x, _) => x.clone().AddInPlace(4), (x, _) => x.clone().add_(4)),
        ("mul_", (x, _) => x.clone().MultiplyInPlace(0.9), (x, _) => x.clone().mul_(0.9)),
        ("mul_ whole", (x, _) => x.clone().MultiplyInPlace(-5), (x, _) => x.clone().mul_(-5)),
        ("div_", (x, _) => x.clone().DivideInPlace(127), (x, _) => x.clone().div_(127)),
        ("clamp_", (x, _) => x.clone().ClampInPlace(0, 1), (x, _) => x.clone().clamp_(0, 1)),
        ("addcmul_", (x, y) => x.clone().AddProductInPlace(y, y, 0.001), (x, y) => x.clone().addcmul_(y, y, 0.001)),
        ("addcdiv_", (x, y) => x.clone().AddQuotientInPlace(x, y, -0.01), (x, y) => x.clone().addcdiv_(x, y, -0.01)),
        ("filled", (x, _) => TensorMath.Filled(x.shape, 0.1, x.dtype), (x, _) => full(x.shape, 0.1, x.dtype)),
        ("range", (_, _) => TensorMath.Range(7, ScalarType.Float32), (_, _) => arange(7, ScalarType.Float32)),
    ];

    public static TheoryData<string> Names => [.. _all.Select(a => a.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void EachGivesTorchSharpsBits(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        (_, Func<Tensor, Tensor, Tensor> ours, Func<Tensor, Tensor, Tensor> theirs) = _all.Single(a => a.Name == name);
        using Generator random = new(7, CPU);
        foreach (ScalarType type in new[] { ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16 })
        {
            Tensor x = randn([40], generator: random).to(type);
            Tensor y = randn([40], generator: random).to(type);
            Assert.Equal(theirs(x, y).dtype, ours(x, y).dtype);
            TensorAssert.Equal(theirs(x, y), ours(x, y));
        }
    }

    [Fact]
    public void WholeNumbers_LeaveIntegersWhole()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = TensorMath.Range(5, ScalarType.Int32);
        Tensor[] whole = [x.Plus(1), x.Minus(1), x.Times(3), x.clone().AddInPlace(-7), x.clone().MultiplyInPlace(unchecked((int)0x85EBCA6B))];
        Assert.All(whole, t => Assert.Equal(ScalarType.Int32, t.dtype));
        Assert.Equal(ScalarType.Float32, x.Over(2).dtype);
    }

    /// <summary>
    /// With TorchSharp's own operators about one in 50,000 of these sums ends with an internal error of libtorch, on two cores: 53 in 2.7 million.
    /// </summary>
    [Fact]
    public void Numbers_OutliveTheirUse_WhileOtherThreadsCollectGarbage()
    {
        DateTime until = DateTime.UtcNow.AddSeconds(3);
        ConcurrentQueue<string> wrong = [];
        void Add()
        {
            using DisposeScope whole = NewDisposeScope();
            Tensor x = TensorMath.Filled([16], 3);
            Tensor y = TensorMath.Filled([16], 4);
            while (DateTime.UtcNow < until && wrong.IsEmpty)
            {
                using DisposeScope scope = NewDisposeScope();
                float found = x.Plus(y).Squared().Times(0.5).mean().item<float>();
                if (found != 24.5f)
                {
                    wrong.Enqueue($"{found}");
                }
            }
        }
        void Guarded()
        {
            try
            {
                Add();
            }
            catch (ExternalException e)
            {
                wrong.Enqueue(e.Message);
            }
        }
        void Collect()
        {
            while (DateTime.UtcNow < until)
            {
                GC.Collect(0);
                Thread.Sleep(1);
            }
        }
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(Guarded)), new Thread(Collect)];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.Empty(wrong);
    }

    /// <summary>This assembly compares with TorchSharp's own operators.</summary>
    [Fact]
    public void AForgottenNumber_IsFound()
    {
        IReadOnlyList<string> found = TensorNumbers.ForgottenIn(typeof(TensorMathTests).Assembly);
        Assert.All(
            ["Tensor::op_Addition(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)", "Tensor::square()", "Scalar::op_Implicit(System.Int32)"],
            call => Assert.Contains(found, f => f.Contains(nameof(TensorMathTests), StringComparison.Ordinal) && f.Contains(call, StringComparison.Ordinal)));
    }
}
