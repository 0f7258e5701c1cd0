using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Testing;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Tests;

[Trait("Category", "Gpu")]
public class TinyModelGpuTests
{
    private static readonly Device Gpu = new(DeviceType.CUDA, 0);

    [GpuFact]
    public void MemoryModes_GiveTheSame()
    {
        using Tensor expected = Latents(new PipelineOptions { Device = Gpu, DType = ScalarType.BFloat16, Loras = [new LoraUse(TinyModel.AdapterFile)] });
        foreach (MemoryMode memory in new[] { MemoryMode.IdleOnHost, MemoryMode.Streamed })
        {
            using Tensor found = Latents(new PipelineOptions
            {
                Device = Gpu,
                DType = ScalarType.BFloat16,
                Loras = [new LoraUse(TinyModel.AdapterFile)],
                Memory = memory,
            });
            Assert.True(Error(expected, found) < 0.02, $"{memory}: relative error {Error(expected, found)}");
        }
    }

    [GpuFact]
    public void Bfloat16_OnAGpu_IsNearFullPrecisionOnTheCpu()
    {
        using Tensor expected = Latents(new PipelineOptions { Loras = [new LoraUse(TinyModel.AdapterFile)] });
        using Tensor full = Latents(new PipelineOptions { Device = Gpu, Loras = [new LoraUse(TinyModel.AdapterFile)] });
        using Tensor half = Latents(new PipelineOptions { Device = Gpu, DType = ScalarType.BFloat16, Loras = [new LoraUse(TinyModel.AdapterFile)] });

        Assert.True(Error(expected, full) < 0.01, $"32 bits: relative error {Error(expected, full)}");
        Assert.True(Error(expected, half) < 0.15, $"16 bits: relative error {Error(expected, half)}");
    }

    [GpuFact]
    public void Float8_IsNear_AndTakesAdapters()
    {
        using Tensor expected = Latents(new PipelineOptions { Device = Gpu, DType = ScalarType.BFloat16, Loras = [new LoraUse(TinyModel.AdapterFile)] });
        using Tensor found = Latents(new PipelineOptions
        {
            Device = Gpu,
            DType = ScalarType.BFloat16,
            Loras = [new LoraUse(TinyModel.AdapterFile)],
            Float8 = true,
        });

        Assert.True(Error(expected, found) is > 0 and < 0.3, $"relative error {Error(expected, found)}");
    }

    [GpuFact]
    public void Generation_LeavesNoTensor()
    {
        using DsdPipeline student = DsdPipeline.Load(TinyModel.Folder, options: new PipelineOptions
        {
            Device = Gpu,
            DType = ScalarType.BFloat16,
            Loras = [new LoraUse(TinyModel.AdapterFile)],
        });
        DsdOptions options = TinyModel.Sampling with { Steps = 2 };
        student.Generate([Request(1)], options);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        student.Generate([Request(2)], options);

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static Tensor Latents(PipelineOptions options)
    {
        using DsdPipeline student = DsdPipeline.Load(TinyModel.Folder, options: options);
        using Tensor latents = student.GenerateLatents([Request(1), Request(2)], TinyModel.Sampling with { Steps = 6 });
        return latents.cpu();
    }

    private static DsdRequest Request(long seed) =>
        new(Renderer.Draw(WorldSampler.Subjects(3).First(), new Context(), TinyModel.PanelSize), "the same creature in the snow", seed);

    private static double Error(Tensor expected, Tensor found) => ((expected - found).norm() / expected.norm()).item<float>();
}
