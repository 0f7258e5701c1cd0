using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Testing;
using Dsd.Tiny.World;
using TorchSharp;

namespace Dsd.Tiny.Tests;

[Collection(RunAlone.Name)]
public class TinyModelMemoryTests
{
    private const int Warm = 200;
    private const int Generations = 1000;

    [Trait("Category", "Long")]
    [LinuxFact]
    public void AThousandGenerations_TakeNoMoreMemoryThanAFew()
    {
        using DsdPipeline student = DsdPipeline.Load(TinyModel.Folder, options: new PipelineOptions { Loras = [new LoraUse(TinyModel.AdapterFile)] });
        DsdOptions options = new() { Width = 16, Height = 16, Steps = 2, UnguidedSteps = 1, ImageGuidance = 2, TextGuidance = 2, MaxTextTokens = 8 };
        Picture reference = Renderer.Draw(WorldSampler.Subjects(3).First(), new Context(), TinyModel.PanelSize);
        void Generate(int count, long first)
        {
            for (int i = 0; i < count; i++)
            {
                student.Generate([new DsdRequest(reference, "in the snow", first + i)], options);
            }
        }
        Generate(Warm, 0);
        (long tensors, long bytes) = (DisposeScopeManager.Statistics.ThreadTotalLiveCount, Settled());

        Generate(Generations, Warm);

        Assert.Equal(tensors, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        // 48 kB for each; what the allocator keeps varies by some twenty MB.
        Assert.InRange(Settled() - bytes, long.MinValue, 48 << 20);
    }

    private static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return ProcessMemory.Anonymous();
    }
}
