using Dsd.Models.Weights;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

/// <summary>Compares what two trainings that should be the same have made.</summary>
internal static class TrainedWeights
{
    /// <summary>
    /// The same up to rounding: with several threads, and on a busy machine even with one, sums are added up in an order that is not always the same, and the
    /// optimiser makes more of a last bit where a gradient is next to nothing.
    /// </summary>
    public static void AssertSame(string expectedFile, string actualFile)
    {
        using SafetensorsFile expectedWeights = SafetensorsFile.Open(expectedFile);
        using SafetensorsFile actualWeights = SafetensorsFile.Open(actualFile);
        Assert.Equal(expectedWeights.Entries.Keys.Order(), actualWeights.Entries.Keys.Order());
        // Biases began at zero, so all that they are was learnt: where one of a few has next to no gradient, a last bit decides which way it goes.
        // They are compared together.
        (float difference, float size) biases = (0, 0);
        Assert.All(expectedWeights.Entries.Keys, name =>
        {
            using Tensor expected = expectedWeights.Read(name).to(ScalarType.Float32);
            using Tensor actual = actualWeights.Read(name).to(ScalarType.Float32);
            if (name.EndsWith("bias", StringComparison.Ordinal))
            {
                biases = (biases.difference + (actual - expected).abs().sum().item<float>(), biases.size + expected.abs().sum().item<float>());
                return;
            }
            Assert.True((actual - expected).abs().mean().item<float>() <= 0.01 * expected.abs().mean().item<float>() + 1e-4, name);
        });
        Assert.InRange(biases.difference, 0, 0.05 * biases.size);
    }
}
