using Dsd.Models.Acceleration;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace Dsd.Models.Tests.Training;

[Trait("Category", "Gpu")]
public sealed class GpuTrainingTests
{
    private static readonly Device Gpu = new(DeviceType.CUDA, 0);

    // A transformer whose layers are large enough for eight bits and kernels.
    private static readonly FluxConfig Config = new()
    {
        Conditional = true,
        InChannels = 64,
        NumLayers = 2,
        NumSingleLayers = 3,
        AttentionHeadDim = 64,
        NumAttentionHeads = 4,
        JointAttentionDim = 128,
        PooledProjectionDim = 64,
        GuidanceEmbeds = true,
        AxesDimsRope = [16, 24, 24],
    };

    [GpuFact]
    public void AdamWsKernel_GivesWhatTorchGives() => Compare(new AdamWOptions { PieceLength = 1000 }, 2e-6f);

    [GpuFact]
    public void EightBitAdamWsKernel_GivesWhatTorchGives() => Compare(new EightBitAdamWOptions { PieceLength = 1024 }, 2e-5f);

    [GpuFact]
    public void NumbersInEightBits_AreWidenedToWhatTheyStandFor()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor x = randn(37, 256, device: Gpu).to(ScalarType.BFloat16);

        Tensor back = BlockKernels.FromFloat8(BlockKernels.ToFloat8(x));

        // Three bits of mantissa: a sixteenth, and less where numbers are small beside the row's largest.
        Tensor difference = (back - x).abs().to(ScalarType.Float32);
        Assert.True((difference <= x.abs().to(ScalarType.Float32) / 16 + x.abs().amax([1], keepdim: true).to(ScalarType.Float32) / 448 / 8).all().item<bool>());
        Assert.True(difference.max().item<float>() > 0);
    }

    [GpuFact]
    public void RecomputedAndStreamedGradients_AreNearThoseOfTheWhole()
    {
        float[] whole = Gradients(MemoryMode.Resident, float8: false, recompute: false);

        AssertNear(whole, Gradients(MemoryMode.Resident, float8: false, recompute: true), 0.03);
        AssertNear(whole, Gradients(MemoryMode.Streamed, float8: false, recompute: true), 0.03);
    }

    [GpuFact]
    public void EightBitGradients_AreTheSameResidentAndStreamed_AndNearTheWhole()
    {
        float[] whole = Gradients(MemoryMode.Resident, float8: false, recompute: false);
        float[] resident = Gradients(MemoryMode.Resident, float8: true, recompute: true);

        AssertNear(whole, resident, 0.2);
        AssertNear(resident, Gradients(MemoryMode.Streamed, float8: true, recompute: true), 0.02);
    }

    [GpuFact]
    public void WrittenGradients_AreNearTorchs()
    {
        float[] torchs = Gradients(MemoryMode.Resident, float8: false, recompute: false, batch: 2);
        float[] written = Gradients(MemoryMode.Resident, float8: false, recompute: false, written: true, batch: 2);

        AssertNear(torchs, written, 0.03);
        AssertNear(written, Gradients(MemoryMode.Resident, float8: false, recompute: true, written: true, batch: 2), 0.02);
        AssertNear(written, Gradients(MemoryMode.Streamed, float8: false, recompute: true, written: true, batch: 2), 0.02);
        using (FastPaths.Plain())
        {
            // By torch's operations in place of the kernels.
            AssertNear(written, Gradients(MemoryMode.Resident, float8: false, recompute: false, written: true, batch: 2), 0.03);
        }
    }

    [GpuFact]
    public void WrittenGradientsOfEightBits_AreNearTorchs()
    {
        float[] torchs = Gradients(MemoryMode.Resident, float8: true, recompute: true);
        float[] written = Gradients(MemoryMode.Resident, float8: true, recompute: true, written: true);

        AssertNear(torchs, written, 0.03);
        AssertNear(written, Gradients(MemoryMode.Streamed, float8: true, recompute: true, written: true), 0.02);
    }

    [GpuFact]
    public void KernelsOfTheWayBack_GiveWhatTorchGives()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using Generator draw = new(6, CPU);
        Tensor Draw(params long[] shape) => randn(shape, generator: draw).to(ScalarType.BFloat16).to(Gpu);
        (Tensor x, Tensor gradient, Tensor beside) = (Draw(2, 5, 384), Draw(2, 5, 384), Draw(2, 5, 384));
        Tensor[] parts = Draw(2, 1, 3 * 384).chunk(3, dim: -1);
        (Tensor hidden, Tensor ofBoth) = (Draw(10, 512), Draw(10, 384 + 512));
        RmsNorm norm = new(128, Gpu, ScalarType.BFloat16);
        Tensor rotary = RotaryEmbedding.Of(arange(9, device: Gpu).unsqueeze(1).repeat(1, 3), [16, 56, 56]);
        (Tensor one, Tensor other, Tensor ofAll) = (Draw(2, 4, 3 * 384), Draw(2, 5, 3 * 384), Draw(2, 9, 384));
        Tensor[] All()
        {
            using AttentionGraph attention = new(3, rotary, (norm, norm), (norm, norm));
            attention.Forward(one, other);
            return
            [
                Modulation.Gradient(x, parts[0], parts[1], gradient, beside),
                Gelu.Gradient(hidden, ofBoth.narrow(1, 384, 512)),
                Gelu.Beside(gradient.flatten(0, 1), hidden),
                .. attention.Backward(ofAll),
            ];
        }

        Tensor[] own = All();
        Tensor[] plain;
        using (FastPaths.Plain())
        {
            plain = All();
        }

        foreach ((Tensor expected, Tensor found) in plain.Zip(own))
        {
            double difference = (expected.to(ScalarType.Float32) - found.to(ScalarType.Float32)).norm().item<float>();
            Assert.InRange(difference / expected.to(ScalarType.Float32).norm().item<float>(), 0, 0.01);
        }
    }

    private static void Compare(OptimizerOptions options, float tolerance)
    {
        float[] Run()
        {
            using DisposeScope scope = NewDisposeScope();
            using Generator generator = new(3, CPU);
            Parameter[] parameters = [.. new[] { 300, 1500, 7 }.Select(n => nn.Parameter(randn(n, generator: generator).to(Gpu)))];
            using Optimizer optimizer = options.Create(parameters);
            for (int step = 0; step < 20; step++)
            {
                foreach (Parameter parameter in parameters)
                {
                    parameter.grad = (randn(parameter.shape, generator: generator) * 0.01).to(Gpu);
                }
                optimizer.Step(1e-3);
            }
            return [.. parameters.SelectMany(p => p.detach().cpu().data<float>().ToArray())];
        }
        float[] own = Run();
        float[] plain;
        using (FastPaths.Plain())
        {
            plain = Run();
        }
        // Where two codes are equally near, one rounding may fall the other way, and a few weights move by part of a step.
        double[] differences = [.. own.Zip(plain).Select(p => (double)Math.Abs(p.First - p.Second))];
        Assert.True(differences.Count(d => d > tolerance) <= own.Length / 50, $"largest {differences.Max()}, mean {differences.Average()}");
        Assert.True(differences.Average() < tolerance, $"mean {differences.Average()}");
    }

    private static float[] Gradients(MemoryMode memory, bool float8, bool recompute, bool written = false, long batch = 1)
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxTransformer transformer = FluxCheckpoint.Random(Config, Gpu, ScalarType.BFloat16, memory, float8, trains: true);
        transformer.RecomputedBlocks = recompute ? transformer.Blocks : 0;
        transformer.WritesGradients = written;
        using LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Rank = 8, Seed = 3 });
        using (no_grad())
        {
            using Generator generator = new(4, CPU);
            foreach (Tensor b in adapter.Factors.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Value.B))
            {
                b.copy_(0.02 * randn(b.shape, generator: generator));
            }
        }
        using LoraAttachment attached = adapter.Attach(transformer, trainable: true);
        using Generator draw = new(5, CPU);
        Tensor Draw(params long[] shape) => randn(shape, generator: draw).to(ScalarType.BFloat16).to(Gpu);
        Tensor velocity = transformer.forward(
            Draw(batch, 32, 64), Draw(batch, 32, 64), Draw(batch, 16, 128), Draw(batch, 64), full(batch, 0.6f, device: Gpu), ones(batch, device: Gpu),
            Dsd.Models.Sampling.LatentPacking.ImageIds(8, 16, Gpu), Dsd.Models.Sampling.LatentPacking.TextIds(16, Gpu));
        transformer.Backward(FlowMatching.Loss(velocity, Draw(batch, 32, 64)));
        return [.. attached.Parameters.SelectMany(p => p.Parameter.grad!.cpu().data<float>().ToArray())];
    }

    private static void AssertNear(float[] expected, float[] found, double tolerance)
    {
        double difference = Math.Sqrt(expected.Zip(found).Sum(p => Math.Pow(p.First - p.Second, 2)) / expected.Sum(v => (double)v * v));
        Assert.True(difference <= tolerance, $"relative difference {difference}");
    }
}
