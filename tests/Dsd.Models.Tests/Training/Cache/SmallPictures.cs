using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Testing;

namespace Dsd.Models.Tests.Training.Cache;

/// <summary>A small model, options and pairs for the tests of the cache.</summary>
internal static class SmallPictures
{
    public static readonly LoraTrainingOptions Options = new()
    {
        Width = 32,
        Height = 32,
        Steps = 6,
        BatchSize = 2,
        LearningRate = 0.01,
        Seed = 3,
        Adapter = new LoraOptions { Rank = 2 },
    };

    public static FluxModel Model(string? folder = null) => (FluxModel)DiffusionModel.LoadConditional(folder ?? Fixtures.Path("tiny-flux"));

    /// <summary>A picture of noise.</summary>
    public static Picture Noise(int seed, int width = 32, int height = 32)
    {
        byte[] pixels = new byte[3 * width * height];
        new Random(seed).NextBytes(pixels);
        return new Picture(width, height, pixels);
    }

    /// <summary>Pairs that share no picture and no prompt.</summary>
    public static TrainingPair[] Pairs(int count = 3) =>
        [.. Enumerable.Range(0, count).Select(i => new TrainingPair(Noise(i), Noise(1000 + i), $"a picture {i}"))];
}
