using System.Security.Cryptography;
using Dsd.Imaging;
using Dsd.Models.Sampling;
using Microsoft.Extensions.AI;

namespace Dsd.Extensions.AI;

/// <summary>A request, checked: what is drawn, how, and how often.</summary>
internal sealed class ImagePlan
{
    private readonly ReadOnlyMemory<byte>? _reference;
    private readonly DsdOptions _frame;
    private readonly TextToImageOptions _text;
    private readonly PictureFormat _format;
    private readonly int _previews;
    private readonly IProgress<DsdImageProgress>? _progress;
    private readonly string _prompt;

    private ImagePlan(
        string prompt, ReadOnlyMemory<byte>? reference, (DsdOptions Frame, TextToImageOptions Text) how, PictureFormat format, int count, long? seed,
        int previews, IProgress<DsdImageProgress>? progress)
    {
        (_prompt, _reference, _format, _previews, _progress) = (prompt, reference, format, previews, progress);
        (_frame, _text) = how;
        long first = seed ?? RandomNumberGenerator.GetInt32(int.MaxValue - count);
        Seeds = [.. Enumerable.Range(0, count).Select(i => first + i)];
    }

    /// <summary>The seed of each picture.</summary>
    public IReadOnlyList<long> Seeds { get; }

    /// <summary>Checks a request.</summary>
    /// <exception cref="DsdImageRequestException">It cannot be drawn.</exception>
    public static ImagePlan Of(ImageGenerationRequest request, ImageGenerationOptions? options, DsdImageTraits traits, string model, IImageGenerator generator)
    {
        options ??= new ImageGenerationOptions();
        if (options.ModelId is { } asked && asked != model)
        {
            throw new DsdImageRequestException("model", $"There is no model '{asked}' here, but '{model}'. Name that one, or none.");
        }
        if (options.ResponseFormat is not (null or ImageGenerationResponseFormat.Data))
        {
            throw new DsdImageRequestException(
                "response_format", $"Pictures come as data, but {options.ResponseFormat} was asked for: nothing is kept here that an address could lead to.");
        }
        Properties properties = new(options.AdditionalProperties);
        (DsdOptions frame, TextToImageOptions text, bool hasReference, ReadOnlyMemory<byte>? reference) = How(request, options, traits, properties, generator);
        int count = options.Count ?? 1;
        if (count < 1 || count > traits.Options.MaxPictures)
        {
            throw new DsdImageRequestException("n", $"One request draws 1 to {traits.Options.MaxPictures} pictures, but {count} were asked for.");
        }
        long? seed = properties.Whole(DsdImageProperties.Seed);
        if (seed is < 0 || seed > long.MaxValue - count)
        {
            throw new DsdImageRequestException(DsdImageProperties.Seed, $"A seed is a whole number from 0 to {long.MaxValue - count}, but is {seed}.");
        }
        long? quality = properties.Whole(DsdImageProperties.EncodingQuality);
        if (quality is < 1 or > 100)
        {
            throw new DsdImageRequestException(DsdImageProperties.EncodingQuality, $"A quality lies between 1 and 100, but is {quality}.");
        }
        IProgress<DsdImageProgress>? progress = properties.Object<IProgress<DsdImageProgress>>(DsdImageProperties.Progress);
        int previews = options.StreamingCount ?? 0;
        if (previews < 0 || (previews > 0 && progress is null))
        {
            throw new DsdImageRequestException(
                "partial_images",
                previews < 0
                    ? $"There cannot be {previews} previews."
                    : $"{previews} previews are asked for ({nameof(options.StreamingCount)}), but nobody sees them: give '{DsdImageProperties.Progress}'.");
        }
        PictureFormat format = PictureFormat.Of(options.MediaType, (int?)quality);
        properties.RequireAllKnown();
        string prompt = request.Prompt ?? throw new DsdImageRequestException("prompt", "There is no prompt. An empty one is allowed.");
        if (prompt.Length > traits.Options.MaxPromptCharacters)
        {
            throw new DsdImageRequestException(
                "prompt", $"A prompt has at most {traits.Options.MaxPromptCharacters} characters, but this one has {prompt.Length}.");
        }
        return new ImagePlan(prompt, hasReference ? reference : null, (frame, text), format, count, seed, previews, progress);
    }

    /// <summary>Draws the pictures, one after another.</summary>
    public DsdImages Draw(IDsdModel? fromReference, ITextToImageModel? fromText, List<AIContent> contents, CancellationToken cancellationToken)
    {
        Picture? reference = _reference is { } bytes ? Decoded(bytes) : null;
        List<Picture> pictures = [];
        for (int i = 0; i < Seeds.Count; i++)
        {
            long seed = Seeds[i];
            Steps? steps = _progress is null ? null : new(this, i, seed);
            Picture picture;
            try
            {
                picture = reference is null
                    ? fromText!.Generate([new TextToImageRequest(_prompt, seed)], _text, steps, cancellationToken)[0]
                    : fromReference!.Generate([new DsdRequest(reference, _prompt, seed)], _frame, steps, cancellationToken)[0];
            }
            catch (ArgumentException e) when (e is not DsdImageRequestException && i == 0)
            {
                // What only the model knows, such as sides that do not come out as whole tokens.
                throw new DsdImageRequestException("size", e.Message, e);
            }
            pictures.Add(picture);
            contents.Add(_format.Encode(picture, seed));
        }
        return new DsdImages(pictures, Seeds);
    }

    private static (DsdOptions Frame, TextToImageOptions Text, bool HasReference, ReadOnlyMemory<byte>? Reference) How(
        ImageGenerationRequest request, ImageGenerationOptions options, DsdImageTraits traits, Properties properties, IImageGenerator generator)
    {
        AIContent[] originals = [.. (request.OriginalImages ?? []).Take(2)];
        if (originals.Length > 1)
        {
            throw new DsdImageRequestException("image", "This model takes one reference, but several were given. Send one.");
        }
        bool hasReference = originals.Length == 1;
        if (!hasReference && !traits.FromText)
        {
            throw new DsdImageRequestException(
                "image",
                "This model draws the subject of a reference picture, but there is none. Send one as an original image (over HTTP: to /v1/images/edits).");
        }
        if (hasReference && !traits.FromReference)
        {
            throw new DsdImageRequestException(
                "image", "This model draws from text alone and takes no reference. Send the prompt without a picture (over HTTP: to /v1/images/generations).");
        }
        ReadOnlyMemory<byte>? reference = hasReference ? Checked(originals[0], traits.Options) : null;
        object? raw = options.RawRepresentationFactory?.Invoke(generator);
        DsdOptions frame = raw switch
        {
            null => traits.Frame,
            DsdOptions own => own,
            TextToImageOptions own => traits.Frame with
            {
                Width = own.Width,
                Height = own.Height,
                Steps = own.Steps,
                Guidance = own.Guidance,
                BlockCache = own.BlockCache,
                MaxTextTokens = own.MaxTextTokens,
            },
            _ => throw new DsdImageRequestException(
                "raw", $"{nameof(options.RawRepresentationFactory)} must give {nameof(DsdOptions)} or {nameof(TextToImageOptions)}, but gave {raw.GetType()}."),
        };
        if (hasReference && raw is TextToImageOptions)
        {
            throw new DsdImageRequestException(
                "raw", $"{nameof(options.RawRepresentationFactory)} gave {nameof(TextToImageOptions)}, but there is a reference: give {nameof(DsdOptions)}.");
        }
        frame = WithSize(frame, options, traits);
        frame = Set(DsdImageProperties.Steps, frame, properties.Whole(DsdImageProperties.Steps), (f, v) =>
            v <= traits.Options.MaxSteps ? f with { Steps = checked((int)v) } : throw new DsdImageRequestException(
                DsdImageProperties.Steps, $"One picture takes 1 to {traits.Options.MaxSteps} steps, but {v} were asked for."));
        float? guidance = properties.Real(DsdImageProperties.Guidance);
        if (guidance is not null && !traits.TakesGuidance)
        {
            throw new DsdImageRequestException(
                DsdImageProperties.Guidance,
                $"This model takes no distilled guidance. Leave '{DsdImageProperties.Guidance}' out; true guidance is '{DsdImageProperties.ImageGuidance}' and "
                    + $"'{DsdImageProperties.TextGuidance}'.");
        }
        frame = Set(DsdImageProperties.Guidance, frame, guidance, (f, v) => f with { Guidance = v });
        float? image = properties.Real(DsdImageProperties.ImageGuidance), text = properties.Real(DsdImageProperties.TextGuidance);
        long? unguided = properties.Whole(DsdImageProperties.UnguidedSteps);
        if (!hasReference && (image is not null || text is not null || unguided is not null))
        {
            string key = image is not null ? DsdImageProperties.ImageGuidance
                : text is not null ? DsdImageProperties.TextGuidance : DsdImageProperties.UnguidedSteps;
            throw new DsdImageRequestException(key, $"True guidance ('{key}') is for drawing from a reference, but there is none.");
        }
        frame = Set(DsdImageProperties.ImageGuidance, frame, image, (f, v) => f with { ImageGuidance = v });
        frame = Set(DsdImageProperties.TextGuidance, frame, text, (f, v) => f with { TextGuidance = v });
        frame = Set(DsdImageProperties.UnguidedSteps, frame, unguided, (f, v) => f with { UnguidedSteps = checked((int)v) });
        TextToImageOptions plain = new()
        {
            Width = frame.Width,
            Height = frame.Height,
            Steps = frame.Steps,
            Guidance = frame.Guidance,
            BlockCache = frame.BlockCache,
            MaxTextTokens = frame.MaxTextTokens,
        };
        return (frame, plain, hasReference, reference);
    }

    private static DsdOptions WithSize(DsdOptions frame, ImageGenerationOptions options, DsdImageTraits traits)
    {
        if (options.ImageSize is { } size)
        {
            try
            {
                frame = frame with { Width = size.Width, Height = size.Height };
            }
            catch (ArgumentOutOfRangeException e)
            {
                throw new DsdImageRequestException(
                    "size", $"A picture's sides are multiples of 16 from 16 to 8192 pixels, but {size.Width}x{size.Height} was asked for.", e);
            }
        }
        return (long)frame.Width * frame.Height <= traits.MaxPixels
            ? frame
            : throw new DsdImageRequestException(
                "size",
                $"A picture has at most {traits.MaxPixels} pixels here, but {frame.Width}x{frame.Height} was asked for. "
                    + $"{traits.Frame.Width}x{traits.Frame.Height} is usual.");
    }

    private static DsdOptions Set<T>(string key, DsdOptions frame, T? value, Func<DsdOptions, T, DsdOptions> set)
        where T : struct
    {
        try
        {
            return value is { } given ? set(frame, given) : frame;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new DsdImageRequestException(key, $"'{key}' is out of range: {e.Message.Split('\n', '(')[0].Trim()}", e);
        }
    }

    private static ReadOnlyMemory<byte> Checked(AIContent original, DsdImageGeneratorOptions options)
    {
        if (original is not DataContent { Data: var bytes })
        {
            throw new DsdImageRequestException(
                "image",
                $"A reference is given as data ({nameof(DataContent)}), but this one is {original.GetType().Name}: nothing is fetched from addresses.");
        }
        if (bytes.Length > options.MaxReferenceBytes)
        {
            throw new DsdImageRequestException("image", $"A reference has at most {options.MaxReferenceBytes} bytes, but this one has {bytes.Length}.");
        }
        (int width, int height) = Read(() => Picture.SizeOf(bytes.Span, "reference"));
        if ((long)width * height > options.MaxReferencePixels)
        {
            throw new DsdImageRequestException("image", $"A reference has at most {options.MaxReferencePixels} pixels, but this one is {width} × {height}.");
        }
        return Math.Min(width, height) >= DsdRequest.LeastReferenceSide
            ? bytes
            : throw new DsdImageRequestException(
                "image", $"A reference has at least {DsdRequest.LeastReferenceSide} pixels a side, but this one is {width} × {height}.");
    }

    private static Picture Decoded(ReadOnlyMemory<byte> bytes) => Read(() => Picture.Decode(bytes.Span, "reference"));

    private static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (PictureException e)
        {
            throw new DsdImageRequestException("image", e.Message, e);
        }
    }

    /// <summary>Passes steps on, with a preview now and then.</summary>
    private sealed class Steps(ImagePlan plan, int picture, long seed) : IProgress<SamplingProgress>
    {
        public void Report(SamplingProgress value)
        {
            int parts = plan._previews + 1;
            bool shows = value.Step < value.Steps && value.HasPreview && value.Step * parts / value.Steps > (value.Step - 1) * parts / value.Steps;
            plan._progress!.Report(new DsdImageProgress(picture, plan.Seeds.Count, value.Step, value.Steps, seed)
            {
                Preview = shows ? plan._format.Encode(value.Preview()[0], seed, quickly: true) : null,
            });
        }
    }
}
