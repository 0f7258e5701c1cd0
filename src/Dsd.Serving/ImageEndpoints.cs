using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Dsd.Extensions.AI;
using Dsd.Serving.Answers;
using Dsd.Serving.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Dsd.Serving;

/// <summary>What is done with requests.</summary>
internal sealed class ImageEndpoints(
    IImageGenerator generator, DsdServingOptions options, ImageQueue queue, ServingMetrics metrics, ILogger? log, CancellationToken stopping)
{
    private readonly string _model = (generator.GetService(typeof(ImageGeneratorMetadata)) as ImageGeneratorMetadata)?.DefaultModelId ?? "images";
    private readonly DsdImageTraits? _traits = generator.GetService(typeof(DsdImageTraits)) as DsdImageTraits;
    private readonly DsdImageGenerator? _dsd = generator.GetService(typeof(DsdImageGenerator)) as DsdImageGenerator;

    public Task GenerateAsync(HttpContext context) => DrawAsync(
        context, "image_generation", async reading => DrawRequest.OfOpenAI(await RequestFields.ReadJsonAsync(context.Request, reading), edits: false));

    public Task EditAsync(HttpContext context) => DrawAsync(
        context, "image_edit", async reading => DrawRequest.OfOpenAI(await ReadFormAsync(context.Request, reading), edits: true));

    public Task DrawForPageAsync(HttpContext context) => DrawAsync(
        context, null, async reading => DrawRequest.OfPage(await ReadFormAsync(context.Request, reading)));

    public Task ModelsAsync(HttpContext context) => Answer.WriteAsync(
        context, new { @object = "list", data = new[] { new { id = _model, @object = "model", created = 0, owned_by = "dsd" } } });

    public Task HealthAsync(HttpContext context) => Answer.WriteAsync(
        context,
        new { status = stopping.IsCancellationRequested ? "stopping" : "ok", drawing = queue.Drawing, waiting = queue.Waiting },
        stopping.IsCancellationRequested ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK);

    /// <summary>What the page has to know: what can be asked for, and what is usual.</summary>
    public Task AboutAsync(HttpContext context) => Answer.WriteAsync(context, new
    {
        model = _model,
        from_reference = _traits?.FromReference ?? true,
        from_text = _traits?.FromText ?? true,
        takes_guidance = _traits?.TakesGuidance ?? false,
        width = _traits?.Frame.Width,
        height = _traits?.Frame.Height,
        steps = _traits?.Frame.Steps,
        guidance = _traits?.Frame.Guidance,
        image_guidance = _traits?.Frame.ImageGuidance,
        text_guidance = _traits?.Frame.TextGuidance,
        max_steps = _traits?.Options.MaxSteps,
        max_pixels = _traits?.MaxPixels,
        max_reference_bytes = Math.Min(_traits?.Options.MaxReferenceBytes ?? int.MaxValue, options.MaxRequestBytes),
    });

    /// <summary>Does something for a request, and answers with an error where it cannot be done.</summary>
    public async Task AnswerAsync(HttpContext context, Func<Task> answer)
    {
        try
        {
            await answer().ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone, and nobody reads an answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            ApiException error = ErrorOf(e);
            await Answer.WriteAsync(context, Answer.Error(error), error.Status).ConfigureAwait(false);
        }
    }

    private async Task DrawAsync(HttpContext context, string? openAI, Func<CancellationToken, Task<DrawRequest>> read)
    {
        // Before the body is read: many uploads at once would fill the memory.
        using ImageQueue.Place? place = queue.TryEnter();
        if (place is null)
        {
            metrics.Ended("full");
            int seconds = queue.RetryAfter;
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            throw new ApiException(
                StatusCodes.Status429TooManyRequests, $"{options.AtOnce + options.MaxWaiting} requests are drawn or wait already. Try again in {seconds} s.",
                code: "rate_limit_exceeded", type: "requests");
        }
        using CancellationTokenSource gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        EventStream events = new(context);
        string outcome = "failed";
        try
        {
            DrawRequest request = await ReadAsync(context, read, gone.Token).ConfigureAwait(false);
            // Said at once, and not when its turn has come.
            _dsd?.Check(request.Request, request.Streams ? Watched(request, new Ignored()) : request.Options);
            if (openAI is null)
            {
                await events.SendAsync("waiting", new { before = place.Before }, gone.Token).ConfigureAwait(false);
            }
            long came = Stopwatch.GetTimestamp();
            await place.WaitAsync(gone.Token).ConfigureAwait(false);
            metrics.Waited(Stopwatch.GetElapsedTime(came));
            long began = Stopwatch.GetTimestamp();
            int pictures = request.Streams
                ? await StreamAsync(request, events, openAI, gone).ConfigureAwait(false)
                : await WholeAsync(context, request, gone.Token).ConfigureAwait(false);
            metrics.Drew(Stopwatch.GetElapsedTime(began), pictures);
            outcome = "drawn";
        }
        catch (Exception e)
        {
            bool left = context.RequestAborted.IsCancellationRequested;
            ApiException? error = left ? null : ErrorOf(e);
            outcome = left || e is OperationCanceledException ? "cancelled" : error!.Status < 500 ? "refused" : "failed";
            if (left)
            {
                throw;
            }
            if (!events.HasBegun)
            {
                throw error!;
            }
            await events.SendAsync("error", Answer.Error(error!), context.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            metrics.Ended(outcome);
        }
    }

    private async Task<DrawRequest> ReadAsync(HttpContext context, Func<CancellationToken, Task<DrawRequest>> read, CancellationToken gone)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = options.MaxRequestBytes;
        }
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(gone);
        late.CancelAfter(options.UploadTime);
        try
        {
            return await read(late.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested)
        {
            throw new ApiException(
                StatusCodes.Status408RequestTimeout, $"The request took longer than {options.UploadTime.TotalSeconds} s to arrive.", code: "upload_timeout");
        }
    }

    private Task<RequestFields> ReadFormAsync(HttpRequest request, CancellationToken reading) =>
        RequestFields.ReadFormAsync(request, options.MaxRequestBytes, reading);

    private async Task<int> WholeAsync(HttpContext context, DrawRequest request, CancellationToken gone)
    {
        ImageGenerationResponse drawn = await generator.GenerateAsync(request.Request, request.Options, gone).ConfigureAwait(false);
        await Answer.WriteAsync(context, new
        {
            created = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            data = drawn.Contents.Select(Answer.Picture).ToArray(),
            background = "opaque",
            output_format = request.Format,
            size = SizeOf(drawn),
        }).ConfigureAwait(false);
        return drawn.Contents.Count;
    }

    private async Task<int> StreamAsync(DrawRequest request, EventStream events, string? openAI, CancellationTokenSource gone)
    {
        Channel<DsdImageProgress> steps = Channel.CreateUnbounded<DsdImageProgress>(new UnboundedChannelOptions { SingleReader = true });
        Task<ImageGenerationResponse> drawing = DrawAsync();
        try
        {
            int previews = 0;
            await foreach (DsdImageProgress step in steps.Reader.ReadAllAsync(gone.Token).ConfigureAwait(false))
            {
                if (openAI is null)
                {
                    await events.SendAsync(
                        "step", new { step.Picture, step.Pictures, step.Step, step.Steps, step.Seed, preview = step.Preview?.Data }, gone.Token)
                        .ConfigureAwait(false);
                }
                else if (step.Preview is { } preview)
                {
                    string type = $"{openAI}.partial_image";
                    await events.SendAsync(type, Body(type, preview, request.Format, null, previews++), gone.Token).ConfigureAwait(false);
                }
            }
            ImageGenerationResponse drawn = await drawing.ConfigureAwait(false);
            foreach (AIContent content in drawn.Contents)
            {
                string type = openAI is null ? "picture" : $"{openAI}.completed";
                await events.SendAsync(type, Body(type, content, request.Format, SizeOf(drawn), null), gone.Token).ConfigureAwait(false);
            }
            return drawn.Contents.Count;
        }
        finally
        {
            if (!drawing.IsCompleted)
            {
                // Nobody is there any more: its turn ends when the step has.
                await gone.CancelAsync().ConfigureAwait(false);
                await ((Task)drawing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        async Task<ImageGenerationResponse> DrawAsync()
        {
            try
            {
                return await generator.GenerateAsync(request.Request, Watched(request, new Written(steps.Writer)), gone.Token).ConfigureAwait(false);
            }
            finally
            {
                steps.Writer.Complete();
            }
        }
    }

    private static object Body(string type, AIContent content, string format, string? size, int? preview)
    {
        Answer.PictureBody picture = Answer.Picture(content);
        return new
        {
            type,
            b64_json = picture.Bytes,
            picture.Seed,
            created_at = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            size,
            background = "opaque",
            output_format = format,
            partial_image_index = preview,
        };
    }

    private static string? SizeOf(ImageGenerationResponse drawn) =>
        drawn.RawRepresentation is DsdImages { Pictures: [var first, ..] } ? $"{first.Width}x{first.Height}" : null;

    // Another generator need not know the key: it is told of steps only if it gives this server's traits.
    private ImageGenerationOptions Watched(DrawRequest request, IProgress<DsdImageProgress> progress) =>
        _traits is null ? request.Options : request.Options.WithProgress(progress);

    private ApiException ErrorOf(Exception e)
    {
        switch (e)
        {
            case ApiException known:
                return known;
            case DsdImageRequestException { Parameter: "model" }:
                return new ApiException(StatusCodes.Status404NotFound, e.Message, "model", "model_not_found");
            case DsdImageRequestException { Parameter: DsdImageProperties.EncodingQuality }:
                return new ApiException(StatusCodes.Status400BadRequest, e.Message, "output_compression");
            case DsdImageRequestException refused:
                return new ApiException(StatusCodes.Status400BadRequest, e.Message, refused.Parameter);
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return new ApiException(
                    StatusCodes.Status413PayloadTooLarge, $"A request has at most {options.MaxRequestBytes} bytes.", code: "request_too_large");
            case BadHttpRequestException bad:
                return new ApiException(bad.StatusCode, bad.Message, code: "bad_request");
            case ArgumentException or NotSupportedException:
                return new ApiException(StatusCodes.Status400BadRequest, e.Message);
            case OperationCanceledException when stopping.IsCancellationRequested:
            case ObjectDisposedException:
                return new ApiException(StatusCodes.Status503ServiceUnavailable, "The server is stopping.", code: "stopping", type: "server_error");
            default:
                log?.LogError(e, "A request could not be drawn.");
                return new ApiException(
                    StatusCodes.Status500InternalServerError, "The picture could not be drawn; the server's log says why.", code: "failed",
                    type: "server_error");
        }
    }

    private sealed class Written(ChannelWriter<DsdImageProgress> steps) : IProgress<DsdImageProgress>
    {
        public void Report(DsdImageProgress value) => steps.TryWrite(value);
    }

    private sealed class Ignored : IProgress<DsdImageProgress>
    {
        public void Report(DsdImageProgress value)
        {
        }
    }
}
