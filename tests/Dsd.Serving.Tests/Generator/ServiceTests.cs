using System.Diagnostics;
using Dsd.Extensions.AI;
using Dsd.Imaging;
using Dsd.Tiny;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dsd.Serving.Tests.Generator;

/// <summary>An image generator among a program's services, and below what Microsoft.Extensions.AI lays over it.</summary>
[Collection(TinyStudent.Collection)]
public sealed class ServiceTests(TinyStudent tiny)
{
    [Fact]
    public void GetService_GivesMetadataAndTraits()
    {
        IImageGenerator generator = tiny.Generator;

        ImageGeneratorMetadata metadata = generator.GetRequiredService<ImageGeneratorMetadata>();
        DsdImageTraits traits = generator.GetRequiredService<DsdImageTraits>();

        Assert.Equal(("dsd", "tiny"), (metadata.ProviderName, metadata.DefaultModelId));
        Assert.Equal((true, false), (traits.FromReference, traits.FromText));
        Assert.Equal((128, 128, 4L * 128 * 128), (traits.Frame.Width, traits.Frame.Height, traits.MaxPixels));
        Assert.Same(generator, generator.GetService<DsdImageGenerator>());
        Assert.Null(generator.GetService(typeof(DsdImageTraits), "key"));
        Assert.Null(generator.GetService<string>());
    }

    [Fact]
    public async Task AddDsdImageGenerator_UnderLoggingAndOpenTelemetry_Draws()
    {
        List<Activity> activities = [];
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == "test.images",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Add,
        };
        ActivitySource.AddActivityListener(listener);
        Lines lines = new();
        ServiceCollection services = new();
        services.AddLogging(logging => logging.AddProvider(lines).SetMinimumLevel(LogLevel.Trace));
        services.AddDsdImageGenerator(new TorchImageModel(TinyModel.Name), TinyStudent.Quick).UseLogging().UseOpenTelemetry(sourceName: "test.images");
        await using ServiceProvider provider = services.BuildServiceProvider();
        IImageGenerator generator = provider.GetRequiredService<IImageGenerator>();

        ImageGenerationResponse drawn = await generator.EditImageAsync(
            new DataContent(TinyStudent.FirstReference, "image/png"), "on the moon", new ImageGenerationOptions().WithProgress(new Nobody()));

        Assert.Single(drawn.Contents);
        Activity activity = Assert.Single(activities);
        Assert.Equal("tiny", activity.GetTagItem("gen_ai.request.model"));
        Assert.Equal("dsd", activity.GetTagItem("gen_ai.provider.name"));
        Assert.Contains(lines.Written, line => line.Contains("GenerateAsync", StringComparison.Ordinal));
        Assert.NotNull(generator.GetService<DsdImageTraits>());
    }

    [Fact]
    public async Task AddKeyedDsdImageGenerator_KeepsModelsApart()
    {
        ServiceCollection services = new();
        services.AddKeyedDsdImageGenerator("student", new TorchImageModel(TinyModel.Name), TinyStudent.Quick);
        services.AddKeyedDsdImageGenerator("teacher", new TorchImageModel(TinyModel.Name) { Source = ImageSource.Text }, TinyStudent.Quick);
        await using ServiceProvider provider = services.BuildServiceProvider();
        IImageGenerator teacher = provider.GetRequiredKeyedService<IImageGenerator>("teacher");

        ImageGenerationResponse drawn = await teacher.GenerateImagesAsync("a red fox in the snow", new ImageGenerationOptions().With("seed", 3));

        Assert.Equal(128, ((DsdImages)drawn.RawRepresentation!).Pictures.Single().Width);
        Assert.Null(provider.GetService<IImageGenerator>());
        DsdImageTraits traits = provider.GetRequiredKeyedService<IImageGenerator>("student").GetRequiredService<DsdImageTraits>();
        Assert.True(traits is { FromReference: true, FromText: false });
        DsdImageRequestException refused = await Assert.ThrowsAsync<DsdImageRequestException>(
            () => teacher.EditImageAsync(new DataContent(TinyStudent.FirstReference, "image/png"), "a fox"));
        Assert.Equal("image", refused.Parameter);
    }

    [Fact]
    public async Task Open_ForEither_DrawsFromBoth()
    {
        using DsdImageGenerator generator = DsdImageGenerator.Open(new TorchImageModel(TinyModel.Name) { Source = ImageSource.Either }, TinyStudent.Quick);
        ImageGenerationOptions options = new ImageGenerationOptions().With("seed", 3);

        Picture text = ((DsdImages)(await generator.GenerateImagesAsync("a fox", options)).RawRepresentation!).Pictures.Single();
        Picture reference = ((DsdImages)(await generator.EditImageAsync(
            new DataContent(TinyStudent.FirstReference, "image/png"), "a fox", options)).RawRepresentation!).Pictures.Single();

        Assert.NotEqual(text.Pixels.ToArray(), reference.Pixels.ToArray());
        DsdImageRequestException refused = await Assert.ThrowsAsync<DsdImageRequestException>(
            () => generator.GenerateImagesAsync("a fox", new ImageGenerationOptions().With("text_guidance", 2)));
        Assert.Equal("text_guidance", refused.Parameter);
    }

    /// <summary>A chat model that calls the tool, as <c>UseImageGeneration</c> offers it.</summary>
    [Fact]
    public async Task UseImageGeneration_LetsAChatModelDraw()
    {
        using DsdImageGenerator teacher = DsdImageGenerator.Open(new TorchImageModel(TinyModel.Name) { Source = ImageSource.Text }, TinyStudent.Quick);
        using IChatClient chat = new Calling().AsBuilder().UseImageGeneration(teacher).UseFunctionInvocation().Build();

        ChatResponse answer = await chat.GetResponseAsync(
            "Draw a fox.", new ChatOptions { Tools = [new HostedImageGenerationTool { Options = new ImageGenerationOptions().With("seed", 3) }] });

        DataContent[] drawn = [.. answer.Messages.SelectMany(m => m.Contents).OfType<ImageGenerationToolResultContent>()
            .SelectMany(r => r.Outputs ?? []).OfType<DataContent>()];
        Assert.Equal(128, Picture.Decode(Assert.Single(drawn).Data.Span, "drawn").Width);
    }

    [Fact]
    public async Task Generate_ByManyAtOnce_TakesTurns_AndDisposeStopsThem()
    {
        HeldModel model = new();
        DsdImageGenerator generator = new(model, null, TinyStudent.Quick);
        ImageGenerationRequest request = new("a", [new DataContent(TinyStudent.FirstReference, "image/png")]);
        Task[] asked = [.. Enumerable.Range(0, 3).Select(_ => generator.GenerateAsync(request))];
        await Until.Is(() => model.Begun == 1, "one begins");
        model.Let(TinyStudent.Quick.Frame!.Steps);
        await Until.Is(() => model.Begun == 2, "a second begins when the first is done");
        Assert.Equal(2, model.Done);

        await Task.Run(generator.Dispose);

        Assert.True(model.IsDisposed);
        Assert.Equal(2, asked.Count(t => t.IsCanceled));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(request));
    }

    [Fact]
    public async Task Generate_WhenCancelled_TakesNoFurtherStep()
    {
        using CancellationTokenSource stop = new();
        int steps = 0;
        ImageGenerationOptions options = new ImageGenerationOptions().With("steps", 50).WithProgress(new After(() =>
        {
            if (++steps == 2)
            {
                stop.Cancel();
            }
        }));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => tiny.Generator.EditImageAsync(new DataContent(TinyStudent.FirstReference, "image/png"), "a", options, stop.Token));

        Assert.Equal(2, steps);
    }

    [Fact]
    public void Guidance_OfAModelThatTakesNone_IsRefused()
    {
        using DsdImageGenerator generator = new(new HeldModel(), null, TinyStudent.Quick);
        ImageGenerationRequest request = new("a", [new DataContent(TinyStudent.FirstReference, "image/png")]);

        DsdImageRequestException thrown = Assert.Throws<DsdImageRequestException>(
            () => generator.Check(request, new ImageGenerationOptions().With("guidance", 3)));

        Assert.Equal("guidance", thrown.Parameter);
        Assert.True(tiny.Generator.Traits.TakesGuidance);
        tiny.Generator.Check(request, new ImageGenerationOptions().With("guidance", 3));
    }

    [Fact]
    public void Open_OfAModelThatCannot_SaysSo()
    {
        Assert.Contains(
            "'nowhere'",
            Assert.Throws<DirectoryNotFoundException>(() => DsdImageGenerator.Open(new TorchImageModel("nowhere"))).Message, StringComparison.Ordinal);
        string plain = Testing.Fixtures.Path("tiny-flux");
        Assert.Contains(
            "takes no reference",
            Assert.Throws<ArgumentException>(() => DsdImageGenerator.Open(new TorchImageModel(plain) { Source = ImageSource.Reference })).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new DsdImageGenerator(null, null));
        Assert.Throws<ArgumentException>(() => new DsdImageGenerator(new HeldModel(), null, new DsdImageGeneratorOptions { MaxPixels = 256 }));
    }

    private sealed class Calling : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            if (messages.Any(m => m.Contents.OfType<FunctionResultContent>().Any()))
            {
                return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, "Here it is.")));
            }
            AIFunctionDeclaration tool = options!.Tools!.OfType<AIFunctionDeclaration>().First(t => t.Name.Contains("Generate", StringComparison.Ordinal));
            FunctionCallContent call = new("1", tool.Name, new Dictionary<string, object?> { ["prompt"] = "a fox" });
            return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, [call])));
        }

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (ChatResponseUpdate update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            {
                yield return update;
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }

    private sealed class After(Action action) : IProgress<DsdImageProgress>
    {
        public void Report(DsdImageProgress value) => action();
    }

    private sealed class Nobody : IProgress<DsdImageProgress>
    {
        public void Report(DsdImageProgress value)
        {
        }
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public List<string> Written { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
