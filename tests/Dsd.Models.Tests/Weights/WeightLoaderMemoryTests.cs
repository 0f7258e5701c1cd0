using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Weights;

[Collection(RunAlone.Name)]
public sealed class WeightLoaderMemoryTests
{
    [LinuxFact]
    public async Task Load_KeepsNoSecondCopyOnTheHost()
    {
        using TemporaryFolder folder = new();
        string file = Path.Combine(folder.Path, "weights.safetensors");
        using (DisposeScope scope = NewDisposeScope())
        {
            SafetensorsWriter.Write(file, new Dictionary<string, Tensor> { ["weight"] = ones(16384, 4096), ["bias"] = ones(16384) }); // 256 MB
        }
        using WeightSource source = WeightSource.Open(file);
        using var linear = nn.Linear(4096, 16384, dtype: ScalarType.BFloat16);
        using (no_grad())
        {
            linear.weight!.fill_(2); // 128 MB, which the process has from now on
        }

        long peak = await ProcessMemory.PeakOf(() => WeightLoader.Load(linear, source));

        Assert.InRange(peak, long.MinValue, 192 << 20); // a buffer, and what the allocator keeps of it; a copy of the tensor would be 256 MB and the same
        Assert.Equal(1, linear.weight![^1][^1].ToSingle());
    }
}
