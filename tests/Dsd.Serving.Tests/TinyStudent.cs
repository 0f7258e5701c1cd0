using Dsd.Extensions.AI;
using Dsd.Imaging;
using Dsd.Tiny;
using Dsd.Tiny.World;

namespace Dsd.Serving.Tests;

/// <summary>The embedded student as an image generator, loaded once; few steps and no true guidance where a request says nothing, to be quick.</summary>
public sealed class TinyStudent : IDisposable
{
    public const string Collection = "tiny";

    /// <summary>References of two different subjects, as PNG files.</summary>
    public static byte[] FirstReference { get; } = Reference(3);

    public static byte[] SecondReference { get; } = Reference(8);

    public static DsdImageGeneratorOptions Quick { get; } = new() { Frame = TinyModel.Sampling with { Steps = 2, ImageGuidance = 1, TextGuidance = 1 } };

    public DsdImageGenerator Generator { get; } = Open();

    public void Dispose() => Generator.Dispose();

    public static Picture ReferencePicture(ulong seed)
    {
        WorldRandom random = new(seed);
        return Renderer.Draw(WorldSampler.SampleSubject(random), WorldSampler.SampleContext(random));
    }

    private static DsdImageGenerator Open()
    {
        TinyModel.Register();
        return DsdImageGenerator.Open(new TorchImageModel(TinyModel.Name), Quick);
    }

    private static byte[] Reference(ulong seed) => ReferencePicture(seed).EncodePng();
}

[CollectionDefinition(TinyStudent.Collection)]
public sealed class TinyCollection : ICollectionFixture<TinyStudent>;
