using Dsd.Extensions.AI;
using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Testing;
using Microsoft.Extensions.AI;
using static Dsd.Extensions.AI.DsdImageProperties;

namespace Dsd.Serving.Tests.Generator;

/// <summary>What an image generator makes of a request, with the embedded student.</summary>
[Collection(TinyStudent.Collection)]
public sealed class RequestTests(TinyStudent tiny)
{
    private static ImageGenerationRequest Asking(byte[] reference, string prompt = "at the beach") =>
        new(prompt, [new DataContent(reference, "image/png")]);

    private static ImageGenerationOptions Seeded(long seed) => new ImageGenerationOptions().With(Seed, seed);

    private async Task<DataContent[]> DrawAsync(ImageGenerationRequest request, ImageGenerationOptions? options) =>
        [.. (await tiny.Generator.GenerateAsync(request, options)).Contents.Cast<DataContent>()];

    [Fact]
    public async Task Generate_FromTwoReferences_GivesDifferentPictures_AndTheSameAgain()
    {
        DataContent first = (await DrawAsync(Asking(TinyStudent.FirstReference), Seeded(7)))[0];
        DataContent second = (await DrawAsync(Asking(TinyStudent.SecondReference), Seeded(7)))[0];
        DataContent again = (await DrawAsync(Asking(TinyStudent.FirstReference), Seeded(7)))[0];

        Assert.Equal("image/png", first.MediaType);
        Assert.Equal("7.png", first.Name);
        Assert.Equal(first.Data.ToArray(), again.Data.ToArray());
        Assert.True(Difference(first, second) > 3, "The reference does not show.");
    }

    [Fact]
    public async Task Generate_IsWhatThePipelineDraws()
    {
        IDsdModel model = (IDsdModel)tiny.Generator.GetService(typeof(IDsdModel))!;
        Picture reference = Picture.Decode(TinyStudent.FirstReference, "reference");
        Picture expected = model.Generate([new DsdRequest(reference, "in the snow", 11)], TinyStudent.Quick.Frame! with { Steps = 3, TextGuidance = 2 })[0];

        ImageGenerationOptions options = Seeded(11).With(Steps, "3").With(TextGuidance, 2.0);
        DataContent drawn = (await DrawAsync(Asking(TinyStudent.FirstReference, "in the snow"), options))[0];

        Assert.Equal(expected.Pixels.ToArray(), Picture.Decode(drawn.Data.Span, "drawn").Pixels.ToArray());
    }

    [Fact]
    public async Task Generate_WithoutASeed_SaysWhichItTook()
    {
        DataContent drawn = (await DrawAsync(Asking(TinyStudent.FirstReference), null))[0];
        long seed = Assert.IsType<long>(drawn.AdditionalProperties![Seed]);

        DataContent again = (await DrawAsync(Asking(TinyStudent.FirstReference), Seeded(seed)))[0];

        Assert.Equal(drawn.Data.ToArray(), again.Data.ToArray());
    }

    [Theory]
    [InlineData("image/png", 0x89)]
    [InlineData("image/jpeg", 0xFF)]
    [InlineData("image/webp", (int)'R')]
    public async Task Generate_GivesCountSizeAndFormatThatWereAskedFor(string mediaType, int firstByte)
    {
        ImageGenerationOptions options = Seeded(5);
        (options.Count, options.ImageSize, options.MediaType) = (2, new System.Drawing.Size(96, 64), mediaType);

        ImageGenerationResponse answer = await tiny.Generator.GenerateAsync(Asking(TinyStudent.FirstReference), options);

        DsdImages raw = Assert.IsType<DsdImages>(answer.RawRepresentation);
        Assert.Equal([5L, 6L], raw.Seeds);
        Assert.Equal(2, answer.Contents.Count);
        Assert.NotEqual(raw.Pictures[0].Pixels.ToArray(), raw.Pictures[1].Pixels.ToArray());
        foreach (DataContent content in answer.Contents.Cast<DataContent>())
        {
            Picture picture = Picture.Decode(content.Data.Span, "drawn");
            Assert.Equal((mediaType, firstByte, 96, 64), (content.MediaType, content.Data.Span[0], picture.Width, picture.Height));
        }
    }

    [Fact]
    public async Task Generate_TellsOfEachStep_AndShowsPreviewsThatComeCloser()
    {
        List<DsdImageProgress> told = [];
        ImageGenerationOptions options = Seeded(5).With(Steps, 6).WithProgress(new Told(told));
        options.StreamingCount = 2;

        DataContent drawn = (await DrawAsync(Asking(TinyStudent.FirstReference), options))[0];

        Assert.Equal(Enumerable.Range(1, 6).Select(i => (0, 1, i, 6, 5L)), told.Select(t => (t.Picture, t.Pictures, t.Step, t.Steps, t.Seed)));
        Assert.Equal([2, 4], told.Where(t => t.Preview is not null).Select(t => t.Step));
        double[] away = [.. told.Where(t => t.Preview is not null).Select(t => Difference(t.Preview!, drawn))];
        Assert.True(away[0] > away[1] && away[1] > 0, $"{away[0]}, {away[1]}");
        // What was looked at is not changed by it.
        Assert.Equal((await DrawAsync(Asking(TinyStudent.FirstReference), Seeded(5).With(Steps, 6)))[0].Data.ToArray(), drawn.Data.ToArray());
    }

    [Fact]
    public async Task Preview_AfterTheStep_IsRefused()
    {
        List<SamplingProgress> kept = [];
        IDsdModel model = (IDsdModel)tiny.Generator.GetService(typeof(IDsdModel))!;
        model.Generate([new DsdRequest(TinyStudent.ReferencePicture(3), "", 1)], TinyStudent.Quick.Frame!, new Kept(kept));

        Assert.All(kept, progress => Assert.Throws<InvalidOperationException>(progress.Preview));
        await Task.CompletedTask;
    }

    [Fact]
    public void Previews_LeaveNoTensorsBehind()
    {
        IDsdModel model = (IDsdModel)tiny.Generator.GetService(typeof(IDsdModel))!;
        LiveTensors.AssertUnchanged(() =>
            model.Generate([new DsdRequest(TinyStudent.ReferencePicture(3), "", 1)], TinyStudent.Quick.Frame!, new Looking()));
    }

    [Fact]
    public async Task Generate_TakesTheRawOptions()
    {
        ImageGenerationOptions options = Seeded(4);
        options.RawRepresentationFactory = _ => TinyStudent.Quick.Frame! with { Width = 64, Height = 96, Steps = 1 };

        Picture picture = Picture.Decode((await DrawAsync(Asking(TinyStudent.FirstReference), options))[0].Data.Span, "drawn");

        Assert.Equal((64, 96), (picture.Width, picture.Height));
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "no reference", "image" },
        { "two references", "image" },
        { "an address", "image" },
        { "no picture", "image" },
        { "a tiny picture", "image" },
        { "no prompt", "prompt" },
        { "a long prompt", "prompt" },
        { "another model", "model" },
        { "hosted", "response_format" },
        { "none", "n" },
        { "too many", "n" },
        { "odd size", "size" },
        { "huge size", "size" },
        { "no steps", "steps" },
        { "many steps", "steps" },
        { "steps as a word", "steps" },
        { "half a step", "steps" },
        { "a negative seed", "seed" },
        { "much guidance", "text_guidance" },
        { "a quality of PNG", "encoding_quality" },
        { "an unknown format", "output_format" },
        { "an unknown property", "stepz" },
        { "previews for nobody", "partial_images" },
        { "progress of another kind", "progress" },
        { "a raw text", "raw" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Generate_OfWhatCannotBeDrawn_SaysWhichPartAndWhy(string what, string parameter)
    {
        DataContent reference = new(TinyStudent.FirstReference, "image/png");
        ImageGenerationRequest request = new("a prompt", what switch
        {
            "no reference" => null,
            "two references" => [reference, reference],
            "an address" => [new UriContent("https://example.com/fox.png", "image/png")],
            "no picture" => [new DataContent(new byte[] { 1, 2, 3 }, "image/png")],
            "a tiny picture" => [new DataContent(new Picture(8, 8, new byte[192]).EncodePng(), "image/png")],
            _ => [reference],
        });
        ImageGenerationOptions options = new();
        switch (what)
        {
            case "no prompt": request.Prompt = null; break;
            case "a long prompt": request.Prompt = new string('a', 40_000); break;
            case "another model": options.ModelId = "dall-e-3"; break;
            case "hosted": options.ResponseFormat = ImageGenerationResponseFormat.Uri; break;
            case "none": options.Count = 0; break;
            case "too many": options.Count = 11; break;
            case "odd size": options.ImageSize = new(100, 128); break;
            case "huge size": options.ImageSize = new(1024, 1024); break;
            case "no steps": options.With(Steps, 0); break;
            case "many steps": options.With(Steps, 101L); break;
            case "steps as a word": options.With(Steps, "few"); break;
            case "half a step": options.With(Steps, 1.5); break;
            case "a negative seed": options.With(Seed, -1); break;
            case "much guidance": options.With(TextGuidance, 101); break;
            case "a quality of PNG": options.With(EncodingQuality, 80); break;
            case "an unknown format": options.MediaType = "image/tiff"; break;
            case "an unknown property": options.With("stepz", 3); break;
            case "previews for nobody": options.StreamingCount = 2; break;
            case "progress of another kind": options.With(Progress, new object()); break;
            case "a raw text": options.RawRepresentationFactory = _ => "text"; break;
        }

        DsdImageRequestException thrown = await Assert.ThrowsAsync<DsdImageRequestException>(() => tiny.Generator.GenerateAsync(request, options));

        Assert.Equal(parameter, thrown.Parameter);
        Assert.EndsWith(".", thrown.Message, StringComparison.Ordinal);
        Assert.Throws<DsdImageRequestException>(() => tiny.Generator.Check(request, options));
    }

    private static double Difference(DataContent one, DataContent other)
    {
        byte[] first = Picture.Decode(one.Data.Span, "one").Pixels.ToArray(), second = Picture.Decode(other.Data.Span, "other").Pixels.ToArray();
        return first.Zip(second).Average(p => Math.Abs(p.First - p.Second));
    }

    private sealed class Told(List<DsdImageProgress> told) : IProgress<DsdImageProgress>
    {
        public void Report(DsdImageProgress value) => told.Add(value);
    }

    private sealed class Kept(List<SamplingProgress> kept) : IProgress<SamplingProgress>
    {
        public void Report(SamplingProgress value) => kept.Add(value);
    }

    private sealed class Looking : IProgress<SamplingProgress>
    {
        public void Report(SamplingProgress value) => Assert.Single(value.Preview());
    }
}
