using Dsd.Models.Native;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Native;

public sealed class AlignedTensorTests
{
    [Fact]
    public void Of_LiesInLibtorchsMemory_WhereverTheArrayLies()
    {
        using DisposeScope scope = NewDisposeScope();
        for (int i = 1; i <= 64; i++)
        {
            // Moves where the next array lies.
            GC.KeepAlive(new byte[8 * i]);
            float[] numbers = [.. Enumerable.Range(0, 6 * i).Select(n => (float)n)];

            Tensor found = AlignedTensor.Of(numbers, [2, i, 3], CPU);

            Assert.Equal([2, i, 3], found.shape);
            Assert.Equal(numbers, found.data<float>().ToArray());
            Assert.Equal(0, TensorMemory.Address(found) % 64);
        }
    }

    [Fact]
    public void Of_LeavesNothingElseBehind() => LiveTensors.AssertUnchanged(() => AlignedTensor.Of([1, 2], [2], CPU).Dispose());
}
