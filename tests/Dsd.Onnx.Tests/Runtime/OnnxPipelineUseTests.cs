using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;
using Dsd.Testing;

namespace Dsd.Onnx.Tests.Runtime;

/// <summary>How a pipeline keeps its sessions and what it knows, over several pictures and calls at once.</summary>
public class OnnxPipelineUseTests(ExportedModels models) : IClassFixture<ExportedModels>
{
    private static readonly DsdOptions Guided = new() { Width = 48, Height = 32, Steps = 3, MaxTextTokens = 16, TextGuidance = 2f, UnguidedSteps = 1 };
    private static readonly TextToImageOptions FromText = new() { Width = 48, Height = 32, Steps = 2, MaxTextTokens = 16 };
    private static readonly Picture Reference = new(32, 20, [.. Enumerable.Range(0, 32 * 20 * 3).Select(i => (byte)(i * i / 7))]);

    [Fact]
    public void IdleClosed_HasOneComponentOpen_AndDrawsTheSamePictures()
    {
        using OnnxPipeline resident = OnnxPipeline.Open(models.Student);
        using OnnxPipeline closing = OnnxPipeline.Open(models.Student, new OnnxRuntimeOptions { Memory = OnnxMemoryMode.IdleClosed });
        List<string[]> during = [];
        Seen progress = new(() => during.Add([.. closing.Model.Sessions.OpenComponents]));
        DsdRequest[] requests = [new(Reference, "a fox", 7), new(Reference, "a dragon", 8)];

        IReadOnlyList<Picture> pictures = closing.Generate(requests, Guided, progress);

        Assert.Equal([["transformer"], ["transformer"], ["transformer"]], during);
        Assert.Equal(["vae_decoder"], closing.Model.Sessions.OpenComponents);
        // Also where guidance begins between two steps, and the empty prompt has to be encoded.
        Assert.Equal(1, closing.Model.Sessions.MostOpen);
        Assert.Equal(resident.Generate(requests, Guided).Select(p => p.Pixels.ToArray()), pictures.Select(p => p.Pixels.ToArray()));
        Assert.Equal(6, resident.Model.Sessions.OpenComponents.Count);
    }

    [Fact]
    public void ModulationClosed_HasItOpenWhileItRuns_AndDrawsTheSamePictures()
    {
        using OnnxPipeline resident = OnnxPipeline.Open(models.Student);
        using OnnxPipeline closing = OnnxPipeline.Open(models.Student, new OnnxRuntimeOptions { Memory = OnnxMemoryMode.ModulationClosed });
        List<string[]> during = [];
        Seen progress = new(() => during.Add([.. closing.Model.Sessions.OpenComponents.Order()]));
        DsdRequest[] requests = [new(Reference, "a fox", 7), new(Reference, "a dragon", 8)];

        IReadOnlyList<Picture> pictures = closing.Generate(requests, Guided, progress);
        closing.Generate(requests, Guided, progress);

        // The second time the decoder is open too, which was used once.
        string[] begun = ["text_encoder", "text_encoder_2", "transformer", "vae_encoder"];
        Assert.Equal([begun, begun, begun], during[..3]);
        Assert.All(during[3..], open => Assert.Equal([.. begun[..3], "vae_decoder", "vae_encoder"], open));
        Assert.Equal(resident.Generate(requests, Guided).Select(p => p.Pixels.ToArray()), pictures.Select(p => p.Pixels.ToArray()));
    }

    [Fact]
    public async Task RecordedSteps_UseTheirPlacesAgain_AndDrawTheSamePictures()
    {
        using OnnxPipeline plain = OnnxPipeline.Open(models.Cuda, new OnnxRuntimeOptions { Threads = 1 });
        using OnnxPipeline records = OnnxPipeline.Open(models.Cuda, new OnnxRuntimeOptions { Threads = 1 });
        records.Model.Sessions.RecordsSteps = true;
        DsdOptions wide = Guided with { Width = 64, Steps = 2 };
        (DsdRequest Request, DsdOptions Options)[] calls =
        [
            (new(Reference, "a fox", 7), Guided), (new(Reference.Crop(4, 2, 16, 16), "a dragon", 8), Guided with { Steps = 4 }),
            (new(Reference, "a fox", 7), wide), (new(Reference, "a fox", 7), Guided),
        ];
        List<int> recordings = [];
        foreach ((DsdRequest request, DsdOptions options) in calls)
        {
            Assert.Equal(plain.Generate([request], options)[0].Pixels.ToArray(), records.Generate([request], options)[0].Pixels.ToArray());
            recordings.Add(records.Model.Batches.Recordings);
        }

        // A pass that is guided runs a row of its own besides the plain one; another size needs places of its own, another number of steps does not.
        Assert.Equal(recordings[0], recordings[1]);
        Assert.Equal(2 * recordings[0], recordings[2]);
        Assert.Equal(recordings[2], recordings[3]);

        // More calls at once than there may be recordings.
        DsdRequest[] requests = [.. Enumerable.Range(0, 8).Select(i => new DsdRequest(Reference.Crop(2 * i, i % 5, 16, 16), $"prompt {i % 4}", i))];
        Picture[] drawn = await Task.WhenAll(requests.Select(r => Task.Run(() => records.Generate([r], Guided)[0])));

        Assert.Equal(requests.Select(r => plain.Generate([r], Guided)[0].Pixels.ToArray()), drawn.Select(p => p.Pixels.ToArray()));
        Assert.InRange(records.Model.Batches.Recordings, recordings[2], 8);
    }

    [Theory]
    [InlineData(GraphTarget.Portable)]
    [InlineData(GraphTarget.Cuda)]
    public void AModulationOfSeveralModels_DrawsTheSamePictures(GraphTarget target)
    {
        using TemporaryFolder folder = new();
        OnnxExportOptions options = new() { ReleaseFolder = Fixtures.Path("tiny-dsd"), Target = target };
        OnnxExporter.Export(Fixtures.Path("tiny-flux"), null, folder.File("one"), options);
        OnnxExporter.Export(Fixtures.Path("tiny-flux"), null, folder.File("several"), options with { MostModulationWeights = 10_000 });
        using OnnxPipeline one = OnnxPipeline.Open(folder.File("one"));
        using OnnxPipeline several = OnnxPipeline.Open(folder.File("several"), new OnnxRuntimeOptions { Memory = OnnxMemoryMode.ModulationClosed });
        DsdRequest[] requests = [new(Reference, "a fox", 7), new(Reference, "a dragon", 8)];

        Assert.Equal(one.Generate(requests, Guided).Select(p => p.Pixels.ToArray()), several.Generate(requests, Guided).Select(p => p.Pixels.ToArray()));

        string[] models = [.. several.Placements.Select(p => p.Component).Where(c => c.StartsWith("modulation", StringComparison.Ordinal))];
        Assert.True(models.Length > 2, string.Join(", ", models));
        Assert.Equal([.. Enumerable.Range(1, models.Length).Select(i => $"modulation_{i}")], models);
        Assert.All(several.Placements, p => Assert.True(p.Opening > TimeSpan.Zero));
    }

    [Theory]
    [InlineData(OnnxMemoryMode.Resident)]
    [InlineData(OnnxMemoryMode.ModulationClosed)]
    [InlineData(OnnxMemoryMode.IdleClosed)]
    public async Task CallsAtOnce_GetTheirOwnPictures(OnnxMemoryMode mode)
    {
        using OnnxPipeline alone = OnnxPipeline.Open(models.Student, new OnnxRuntimeOptions { Threads = 1 });
        using OnnxPipeline shared = OnnxPipeline.Open(models.Student, new OnnxRuntimeOptions { Memory = mode, Threads = 1 });
        DsdRequest[] requests = [.. Enumerable.Range(0, 6).Select(i => new DsdRequest(Reference.Crop(2 * i, i % 5, 16, 16), $"prompt {i % 4}", i))];

        Picture[] drawn = await Task.WhenAll(requests.Select(r => Task.Run(() => shared.Generate([r], Guided)[0])));

        Assert.Equal(requests.Select(r => alone.Generate([r], Guided)[0].Pixels.ToArray()), drawn.Select(p => p.Pixels.ToArray()));
    }

    [Fact]
    public void ACancelledCall_DoesNotHurtAnother()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student, new OnnxRuntimeOptions { Memory = OnnxMemoryMode.IdleClosed });
        DsdRequest request = new(Reference, "a fox", 7);
        byte[] expected = pipeline.Generate([request], Guided)[0].Pixels.ToArray();
        using CancellationTokenSource source = new();
        byte[]? other = null;
        Seen progress = new(() =>
        {
            source.Cancel();
            other ??= pipeline.Generate([request], Guided)[0].Pixels.ToArray();
        });

        Assert.ThrowsAny<OperationCanceledException>(() => pipeline.Generate([request], Guided, progress, source.Token));

        Assert.Equal(expected, other);
        Assert.Equal(expected, pipeline.Generate([request], Guided)[0].Pixels.ToArray());
    }

    /// <summary>Each part in turn counts for years: a cancelled call ends all the same, within the part's run.</summary>
    [Theory]
    [InlineData("vae_encoder")]
    [InlineData("text_encoder")]
    [InlineData("text_encoder_2")]
    [InlineData("modulation")]
    [InlineData("transformer")]
    [InlineData("vae_decoder")]
    public async Task ACancelledCall_EndsWithinAPart(string component)
    {
        using TemporaryFolder temporary = new();
        string file = $"{component}/{ModelWriter.ModelFile}";
        ExportedModels.CopyWith(models.Student, temporary, file, CountingModel.EndlessLike(Path.Combine(models.Student, file)));
        using OnnxPipeline pipeline = OnnxPipeline.Open(temporary.Path, new OnnxRuntimeOptions { Threads = 1 });
        using CancellationTokenSource source = new();

        Task call = Task.Run(() => pipeline.Generate([new DsdRequest(Reference, "a fox", 7)], Guided, cancellationToken: source.Token));
        while (pipeline.Placements.All(p => p.Component != component))
        {
            Assert.False(call.IsCompleted, $"{call.Exception}");
            await Task.Delay(10);
        }
        await Task.Delay(100);
        Assert.False(call.IsCompleted, $"{call.Exception}");
        source.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void APromptThatIsKnown_RunsNoTextEncoder()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student, new OnnxRuntimeOptions { Memory = OnnxMemoryMode.IdleClosed });
        OnnxSessions sessions = pipeline.Model.Sessions;
        byte[] first = pipeline.Generate([new DsdRequest(Reference, "a fox", 7)], Guided)[0].Pixels.ToArray();
        // The prompt, and the empty one when guidance begins.
        Assert.Equal((2, 2), (sessions.RunsOf("text_encoder_2"), sessions.RunsOf("text_encoder")));

        byte[] second = pipeline.Generate([new DsdRequest(Reference, "a fox", 7)], Guided)[0].Pixels.ToArray();
        pipeline.Generate([new DsdRequest(Reference, "a fox", 8), new DsdRequest(Reference, "a fox", 9)], Guided);

        Assert.Equal(first, second);
        Assert.Equal((2, 2), (sessions.RunsOf("text_encoder_2"), sessions.RunsOf("text_encoder")));
        // Another prompt, another length.
        pipeline.Generate([new DsdRequest(Reference, "a dragon", 7), new DsdRequest(Reference, "a fox", 7)], Guided);
        Assert.Equal((3, 3), (sessions.RunsOf("text_encoder_2"), sessions.RunsOf("text_encoder")));
        pipeline.Generate([new DsdRequest(Reference, "a fox", 7)], Guided with { MaxTextTokens = 20, TextGuidance = 1f });
        Assert.Equal((4, 3), (sessions.RunsOf("text_encoder_2"), sessions.RunsOf("text_encoder")));
    }

    [Fact]
    public void WithoutACache_EachPictureRunsTheTextEncoders()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Teacher, new OnnxRuntimeOptions { PromptCacheBytes = 0 });
        byte[] first = pipeline.Generate([new TextToImageRequest("a fox", 7)], FromText)[0].Pixels.ToArray();

        Assert.Equal(first, pipeline.Generate([new TextToImageRequest("a fox", 7)], FromText)[0].Pixels.ToArray());
        Assert.Equal((2, 2), (pipeline.Model.Sessions.RunsOf("text_encoder_2"), pipeline.Model.Sessions.RunsOf("text_encoder")));
    }

    [Fact]
    public void APromptThatIsCut_IsAWarningEachTime()
    {
        List<string> warnings = [];
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Teacher, new OnnxRuntimeOptions { Warn = warnings.Add });
        TextToImageRequest request = new(string.Concat(Enumerable.Repeat("a fox on a chair ", 50)), 1);

        pipeline.Generate([request], FromText);
        Assert.Equal(2, warnings.Count);
        pipeline.Generate([request], FromText);

        Assert.Equal(4, warnings.Count);
    }

    [Fact]
    public void WarmUp_RunsWhatAPictureWillRun()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student);

        pipeline.WarmUp(Guided, pictures: 2);

        OnnxSessions sessions = pipeline.Model.Sessions;
        Assert.Equal(["modulation", "text_encoder", "text_encoder_2", "transformer", "vae_decoder", "vae_encoder"], sessions.OpenComponents.Order());
        // A step without guidance and one with it.
        Assert.Equal(2, sessions.RunsOf("transformer"));
        pipeline.WarmUp(Guided with { TextGuidance = 1f });
        pipeline.WarmUp(FromText);
        Assert.Equal(4, sessions.RunsOf("transformer"));
        Assert.Throws<ArgumentOutOfRangeException>(() => pipeline.WarmUp(Guided, pictures: 0));
        Assert.ThrowsAny<OperationCanceledException>(() => pipeline.WarmUp(Guided, cancellationToken: new CancellationToken(canceled: true)));
    }

    private sealed class Seen(Action then) : IProgress<SamplingProgress>
    {
        public void Report(SamplingProgress value) => then();
    }
}
