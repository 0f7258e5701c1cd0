using Dsd.Models.Acceleration;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Native;
using Dsd.Models.Sampling;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Acceleration;

[Trait("Category", "Gpu")]
public sealed class BlockKernelsTests
{
    private static readonly Device Gpu = new(DeviceType.CUDA, 0);

    // Two roundings of numbers of size one to eight bits of mantissa.
    private const double Tolerance = 0.04;

    [GpuFact]
    public void Modulate_IsLayerNormScaledAndShifted() => InInference(() =>
    {
        Tensor x = Draw(2, 7, 3072);
        Tensor[] parts = Draw(2, 1, 3 * 3072).chunk(3, dim: -1);

        Tensor plain = addcmul(parts[0], nn.functional.layer_norm(x, [3072], eps: 1e-6), 1 + parts[1], 1);

        Near(plain, BlockKernels.Modulate(x, parts[0], parts[1], 1e-6f));
    });

    [GpuFact]
    public void GatedResidual_IsTheSum() => InInference(() =>
    {
        (Tensor x, Tensor y) = (Draw(2, 7, 192), Draw(2, 7, 192));
        Tensor gate = Draw(2, 1, 6 * 192).chunk(6, dim: -1)[2];

        Near(addcmul(x, gate, y, 1), BlockKernels.GatedResidual(x, gate, y));
    });

    [GpuFact]
    public void Place_NormalisesRotatesAndOrdersTheHeads() => InInference(() =>
    {
        const int heads = 3;
        foreach (int head in new[] { 32, 128 })
        {
            Tensor[] text = Draw(2, 5, 3 * heads * head).split(heads * head, dim: -1);
            Tensor[] image = Draw(2, 8, 3 * heads * head).split(heads * head, dim: -1);
            RmsNorm[] norms = [.. Enumerable.Range(0, 4).Select(_ => new RmsNorm(head, Gpu, ScalarType.BFloat16))];
            Tensor ids = arange(13, device: Gpu).unsqueeze(1).repeat(1, 3);
            Tensor rotary = RotaryEmbedding.Of(ids, head == 32 ? [8, 12, 12] : [16, 56, 56]);
            StreamHeads[] streams = [new(text[0], text[1], text[2], norms[0], norms[1]), new(image[0], image[1], image[2], norms[2], norms[3])];

            Tensor q, k, v;
            using (FastPaths.Plain())
            {
                (q, k, v) = Heads.Place(heads, rotary, streams);
            }
            Assert.True(BlockKernels.Suit(text[0]), BlockKernels.Unavailable);
            (Tensor ownQ, Tensor ownK, Tensor ownV) = Heads.Place(heads, rotary, streams);

            Near(q, ownQ);
            Near(k, ownK);
            Assert.True(v.equal(ownV).all().item<bool>());
        }
    });

    [GpuFact]
    public void Rotate_DoesTheSameWhereTheyLie() => InInference(() =>
    {
        const int heads = 3;
        Tensor[] parts = Draw(2, 8, 3 * heads * 128).split(heads * 128, dim: -1);
        RmsNorm norm = new(128, Gpu, ScalarType.BFloat16);
        Tensor rotary = RotaryEmbedding.Of(arange(8, device: Gpu).unsqueeze(1).repeat(1, 3), [16, 56, 56]);
        Tensor expected = RotaryEmbedding.Apply(norm.forward(Heads.Split(parts[0], heads)), rotary);

        (Tensor q, _, Tensor v) = Heads.Place(heads, rotary, new StreamHeads(parts[0], parts[1], parts[2], norm, norm));

        Near(expected, q);
        Assert.True(TensorMemory.Address(v) == TensorMemory.Address(parts[2]));
    });

    [GpuFact]
    public void ToFloat8_KeepsRowsWithinTheirSteps() => InInference(() =>
    {
        (Tensor x, Tensor y) = (Draw(7, 3072) * 20, Draw(7, 6144));
        Float8Rows rows = BlockKernels.ToFloat8(x, y);

        // Products with a unit matrix of eight bits give the rows back.
        Tensor unit = eye(9216, dtype: ScalarType.BFloat16, device: Gpu);
        Tensor back = MatrixProduct.Linear8(rows, BlockKernels.ToFloat8(unit), zeros(9216, dtype: ScalarType.BFloat16, device: Gpu));
        Tensor both = cat([x, y], dim: 1).to(ScalarType.Float32);

        // Three bits of mantissa: steps of an eighth, so errors of a sixteenth, but for the smallest numbers.
        Assert.True(((back.to(ScalarType.Float32) - both).abs() <= (both.abs() / 15) + (rows.Factors.unsqueeze(1) / 500)).all().item<bool>());
    });

    [GpuFact]
    public void Linear8_IsNearTheWideProduct() => InInference(() =>
    {
        (Tensor x, Tensor weight, Tensor bias, Tensor add) = (Draw(32, 512), Draw(256, 512), Draw(256), Draw(32, 256));

        Tensor found = MatrixProduct.Linear8(BlockKernels.ToFloat8(x), BlockKernels.ToFloat8(weight), bias, add: add);

        Tensor wide = nn.functional.linear(x, weight, bias) + add;
        double error = ((found - wide).to(ScalarType.Float32).norm() / wide.to(ScalarType.Float32).norm()).item<float>();
        Assert.True(error < 0.05, $"relative error {error}");
    });

    [GpuFact]
    public void Transformer_GivesTheSameInOneProductAndInEightBits() => InInference(() =>
    {
        FluxConfig config = new()
        {
            Conditional = true,
            InChannels = 64,
            NumLayers = 2,
            NumSingleLayers = 2,
            AttentionHeadDim = 128,
            NumAttentionHeads = 4,
            JointAttentionDim = 256,
            PooledProjectionDim = 64,
            GuidanceEmbeds = true,
            AxesDimsRope = [16, 56, 56],
        };
        using FluxTransformer transformer = new(config, Gpu, ScalarType.BFloat16, seed: 3);
        foreach (Tensor parameter in transformer.parameters().Where(p => p.dim() == 2))
        {
            parameter.normal_(0, 0.5 / Math.Sqrt(parameter.shape[1]));
        }
        (Tensor latents, Tensor condition, Tensor text, Tensor pooled) = (Draw(1, 64, 64), Draw(1, 64, 64), Draw(1, 32, 256), Draw(1, 64));
        (Tensor sigma, Tensor guidance) = (tensor(new[] { 0.8f, 0.4f }).to(Gpu), full(1, 3.5f, device: Gpu));
        Tensor Velocity()
        {
            using FluxConditioning steps = transformer.Embed(
                condition, text, pooled, sigma, guidance, LatentPacking.ImageIds(16, 16, Gpu), LatentPacking.TextIds(32, Gpu));
            return transformer.forward(latents, steps, 1).to(ScalarType.Float32);
        }
        Tensor plain;
        using (FastPaths.Without(FastPath.Kernels | FastPath.TunedProducts))
        {
            plain = Velocity();
        }
        Tensor own = Velocity();
        FluxFloat8.Convert(transformer);
        Tensor eight = Velocity();

        double Error(Tensor found) => ((found - plain).norm() / plain.norm()).item<float>();
        Assert.True(Error(own) < 0.01, $"own kernels: relative error {Error(own)}");
        Assert.True(Error(eight) is > 0.001 and < 0.08, $"eight bits: relative error {Error(eight)}");
    });

    private static void InInference(Action test)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Assert.True(BlockKernels.Suit(zeros(1, 1, 64, dtype: ScalarType.BFloat16, device: Gpu)), BlockKernels.Unavailable);
        test();
    }

    private static Tensor Draw(params long[] shape) => randn(shape).to(ScalarType.BFloat16).to(Gpu);

    private static void Near(Tensor expected, Tensor found) => Assert.True(
        expected.shape.SequenceEqual(found.shape) && expected.to(ScalarType.Float32).allclose(found.to(ScalarType.Float32), rtol: 0.02, atol: Tolerance),
        $"differs by {(expected.to(ScalarType.Float32) - found.to(ScalarType.Float32)).abs().max().item<float>()}");
}
