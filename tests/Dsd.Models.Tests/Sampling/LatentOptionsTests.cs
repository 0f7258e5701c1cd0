using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Sampling;

public sealed class LatentOptionsTests : IDisposable
{
    private static readonly Picture Reference = Pictures.Gradient(40, 32);
    private readonly DsdPipeline _pipeline = DsdPipeline.Load(Fixtures.Path("tiny-flux"), Fixtures.Path("tiny-dsd"));
    private readonly TextToImagePipeline _plain = TextToImagePipeline.Load(Fixtures.Path("tiny-flux"));

    private DsdOptions Small =>
        new() { Width = 3 * Pictures.Side(_pipeline.Model), Height = 2 * Pictures.Side(_pipeline.Model), Steps = 3, MaxTextTokens = 16 };

    private TextToImageOptions SmallText => new() { Width = Small.Width, Height = Small.Height, Steps = 3, MaxTextTokens = 16 };

    public void Dispose()
    {
        _pipeline.Dispose();
        _plain.Dispose();
    }

    [Fact]
    public void Latents_DecodeToThePicturesThatGenerateGives()
    {
        DsdRequest request = new(Reference, "on a chair", 5);
        using Tensor latents = _pipeline.GenerateLatents([request], Small);
        Assert.Equal(_pipeline.Generate([request], Small)[0].Pixels, _pipeline.Decode(latents, Small)[0].Pixels);

        using Tensor plain = _plain.GenerateLatents([new("a fox", 5)], SmallText);
        Assert.Equal(_plain.Generate([new("a fox", 5)], SmallText)[0].Pixels, _plain.Decode(plain, SmallText)[0].Pixels);
    }

    [Fact]
    public void InitialLatents_TakeTheSeedsPlace()
    {
        using Tensor fromSeed = _plain.GenerateLatents([new("a fox", 5)], SmallText, new LatentOptions { OnStep = null });
        using Tensor noise = _plain.Generation.Noise([5], _plain.Model.CanvasOf(SmallText.Width, SmallText.Height));
        using Tensor before = noise.clone();
        using Tensor given = _plain.GenerateLatents([new("a fox", 99)], SmallText, new LatentOptions { Initial = noise });
        TensorAssert.Equal(fromSeed, given);
        TensorAssert.Equal(before, noise);
    }

    [Fact]
    public void TheSameSeed_GivesTheSameLatentsBitForBit_WhereverItsNoiseLies()
    {
        using Tensor first = _plain.GenerateLatents([new("a fox", 5)], SmallText);
        for (int i = 1; i <= 24; i++)
        {
            // Moves where the noise's array lies. Six tokens are few enough for MKL to look at addresses: see docs/decisions/noise.md.
            GC.KeepAlive(new byte[8 * i]);
            using Tensor again = _plain.GenerateLatents([new("a fox", 5)], SmallText);
            TensorAssert.Equal(first, again);
        }
    }

    [Fact]
    public void InitialLatents_OfAnotherShapeAreRefused()
    {
        using Tensor wrong = zeros(1, 2, 3);
        ArgumentException e = Assert.Throws<ArgumentException>(
            () => _pipeline.GenerateLatents([new(Reference, "", 1)], Small, new LatentOptions { Initial = wrong }));
        Assert.Contains("Initial must be [1, ", e.Message, StringComparison.Ordinal);
        Assert.Contains("but is [1, 2, 3]", e.Message, StringComparison.Ordinal);
        using Tensor scalar = zeros([]);
        Assert.All([wrong, scalar], latents => Assert.Contains(
            "what is decoded must be [1, ",
            Assert.Throws<ArgumentException>(() => _pipeline.Decode(latents, Small)).Message,
            StringComparison.Ordinal));
    }

    [Fact]
    public void OnStep_SeesEveryStep_TheLastIsTheResult()
    {
        List<(int Step, int Steps, float Sigma, Tensor Latents)> seen = [];
        Tensor? Look(SamplingStep step)
        {
            seen.Add((step.Step, step.Steps, step.Sigma, step.Latents.clone().DetachFromDisposeScope()));
            return null;
        }
        using Tensor latents = _pipeline.GenerateLatents([new(Reference, "", 1), new(Reference, "", 2)], Small, new LatentOptions { OnStep = Look });
        Assert.Equal([(1, 3), (2, 3), (3, 3)], seen.Select(s => (s.Step, s.Steps)));
        Assert.Equal(seen.Select(s => s.Sigma).OrderDescending(), seen.Select(s => s.Sigma));
        Assert.Equal(0, seen[^1].Sigma);
        TensorAssert.Equal(latents, seen[^1].Latents);
        seen.ForEach(s => s.Latents.Dispose());
    }

    [Fact]
    public void OnStep_MayReplaceTheLatents()
    {
        using Tensor zero = zeros_like(_pipeline.GenerateLatents([new(Reference, "", 1)], Small)).DetachFromDisposeScope();
        using Tensor latents = _pipeline.GenerateLatents([new(Reference, "", 1)], Small, new LatentOptions { OnStep = s => s.Step == 3 ? zero : null });
        TensorAssert.Equal(zero, latents);
        using Tensor wrong = zeros(1);
        Assert.Throws<ArgumentException>(() => _pipeline.GenerateLatents([new(Reference, "", 1)], Small, new LatentOptions { OnStep = _ => wrong }));
    }

    [Fact]
    public void Latents_LeaveNoOtherTensorBehind()
    {
        _pipeline.GenerateLatents([new(Reference, "", 1)], Small).Dispose();
        LiveTensors.AssertUnchanged(() =>
        {
            using Tensor latents = _pipeline.GenerateLatents([new(Reference, "", 1)], Small, new LatentOptions { OnStep = s => s.Latents * 0.5 });
            _pipeline.Decode(latents, Small);
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Cancelled_AfterAnyStep_ItFreesEverything(int after)
    {
        DsdOptions guided = Small with { ImageGuidance = 2, TextGuidance = 3, UnguidedSteps = 1 };
        _pipeline.Generate([new(Reference, "", 1)], guided);
        LiveTensors.AssertUnchanged(() =>
        {
            using CancellationTokenSource source = new();
            int done = 0;
            if (after == 0)
            {
                source.Cancel();
            }
            Steps count = new(() =>
            {
                if (++done == after)
                {
                    source.Cancel();
                }
            });
            Assert.Throws<OperationCanceledException>(() => _pipeline.Generate([new(Reference, "", 1)], guided, count, source.Token));
            Assert.Equal(after, done);
        });
    }

    [Fact]
    public void Times_GivesTheSeedsAfterIt_WhichDoNotDependOnTheirNumber()
    {
        DsdRequest request = new(Reference, "on a chair", 5);
        IReadOnlyList<Picture> three = _pipeline.Generate(request.Times(3), Small);
        Pictures.Near(_pipeline.Generate([request with { Seed = 7 }], Small)[0], three[2]);
        Assert.Equal([new TextToImageRequest("a", 5), new TextToImageRequest("a", 6)], new TextToImageRequest("a", 5).Times(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => request.Times(0));
    }
}
