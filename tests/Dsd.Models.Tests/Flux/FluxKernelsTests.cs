using Dsd.Models.Flux;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Flux;

[Trait("Category", "Gpu")]
public sealed class FluxKernelsTests
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

        Near(plain, FluxKernels.Modulate(x, parts[0], parts[1], 1e-6f));
    });

    [GpuFact]
    public void GatedResidual_IsTheSum() => InInference(() =>
    {
        (Tensor x, Tensor y) = (Draw(2, 7, 192), Draw(2, 7, 192));
        Tensor gate = Draw(2, 1, 6 * 192).chunk(6, dim: -1)[2];

        Near(addcmul(x, gate, y, 1), FluxKernels.GatedResidual(x, gate, y));
    });

    [GpuFact]
    public void Place_NormalisesTurnsAndOrdersTheHeads() => InInference(() =>
    {
        const int heads = 3;
        foreach (int head in new[] { 32, 128 })
        {
            Tensor[] text = Draw(2, 5, 3 * heads * head).split(heads * head, dim: -1);
            Tensor[] image = Draw(2, 8, 3 * heads * head).split(heads * head, dim: -1);
            RmsNorm[] norms = [.. Enumerable.Range(0, 4).Select(_ => new RmsNorm(head, Gpu, ScalarType.BFloat16))];
            Tensor ids = arange(13, device: Gpu).unsqueeze(1).repeat(1, 3);
            Tensor turns = RotaryEmbedding.Turns(ids, head == 32 ? [8, 12, 12] : [16, 56, 56]);
            StreamHeads[] streams = [new(text[0], text[1], text[2], norms[0], norms[1]), new(image[0], image[1], image[2], norms[2], norms[3])];

            FluxKernels.Enabled = false;
            (Tensor q, Tensor k, Tensor v) = Heads.Place(heads, turns, streams);
            FluxKernels.Enabled = true;
            Assert.True(FluxKernels.Suit(text[0]), FluxKernels.Unavailable);
            (Tensor ownQ, Tensor ownK, Tensor ownV) = Heads.Place(heads, turns, streams);

            Near(q, ownQ);
            Near(k, ownK);
            Assert.True(v.equal(ownV).all().item<bool>());
        }
    });

    private static void InInference(Action test)
    {
        bool before = FluxKernels.Enabled;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        try
        {
            FluxKernels.Enabled = true;
            Assert.True(FluxKernels.Suit(zeros(1, 1, 64, dtype: ScalarType.BFloat16, device: Gpu)), FluxKernels.Unavailable);
            test();
        }
        finally
        {
            FluxKernels.Enabled = before;
        }
    }

    private static Tensor Draw(params long[] shape) => randn(shape).to(ScalarType.BFloat16).to(Gpu);

    private static void Near(Tensor expected, Tensor found) => Assert.True(
        expected.shape.SequenceEqual(found.shape) && expected.to(ScalarType.Float32).allclose(found.to(ScalarType.Float32), rtol: 0.02, atol: Tolerance),
        $"differs by {(expected.to(ScalarType.Float32) - found.to(ScalarType.Float32)).abs().max().item<float>()}");
}
