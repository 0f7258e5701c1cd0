using Dsd.Models.Sampling;
using Microsoft.Extensions.AI;

namespace Dsd.Extensions.AI;

/// <summary>
/// Draws the subject of a reference as a prompt says, on this machine: the reference is the request's one original image. Without one it draws from text, if
/// the model does. Several threads may ask at once; they take turns (<see cref="DsdImageGeneratorOptions.AtOnce"/>).
/// </summary>
/// <remarks>
/// <see cref="ImageGenerationOptions.RawRepresentationFactory"/> may give <see cref="DsdOptions"/>, from text also <see cref="TextToImageOptions"/>: they take
/// the place of <see cref="DsdImageGeneratorOptions.Frame"/>, and what the request says besides goes before them. Seed, steps, guidance and who is told of each
/// step are additional properties: <see cref="DsdImageProperties"/>. By <c>GetService</c> there are <see cref="ImageGeneratorMetadata"/>,
/// <see cref="DsdImageTraits"/>, <see cref="DsdImageGenerator"/>, and the models as <see cref="IDsdModel"/> and <see cref="ITextToImageModel"/>.
/// </remarks>
public sealed class DsdImageGenerator : IImageGenerator
{
    private readonly IDsdModel? _fromReference;
    private readonly ITextToImageModel? _fromText;
    private readonly ImageGeneratorMetadata _metadata;
    private readonly SemaphoreSlim _turns;
    private readonly CancellationTokenSource _ended = new();
    private int _disposed;

    /// <summary>A generator over models, which it takes over and disposes.</summary>
    /// <param name="fromReference">Draws from references. Null: nothing does.</param>
    /// <param name="fromText">Draws from text. Null: nothing does. May be the same object.</param>
    /// <param name="options">Defaults and bounds. Null is the defaults, with a <see cref="DsdImageGeneratorOptions.ModelId"/> of <c>dsd</c>.</param>
    /// <param name="takesGuidance">Whether the models take distilled guidance; others refuse a request that asks for it.</param>
    /// <exception cref="ArgumentException">There is neither model.</exception>
    public DsdImageGenerator(
        IDsdModel? fromReference, ITextToImageModel? fromText, DsdImageGeneratorOptions? options = null, bool takesGuidance = false)
        : this(new OpenedModel("dsd", fromReference, fromText, new DsdOptions(), takesGuidance), options)
    {
    }

    private DsdImageGenerator(OpenedModel model, DsdImageGeneratorOptions? options)
    {
        if (model.FromReference is null && model.FromText is null)
        {
            throw new ArgumentException("A generator needs a model that draws from references, from text, or both, but there is neither.");
        }
        options ??= new DsdImageGeneratorOptions();
        (_fromReference, _fromText) = (model.FromReference, model.FromText);
        DsdOptions frame = options.Frame ?? model.Frame;
        long pixels = options.MaxPixels ?? 4L * frame.Width * frame.Height;
        if ((long)frame.Width * frame.Height > pixels)
        {
            throw new ArgumentException(
                $"Option {nameof(options.MaxPixels)} is {pixels}, but a picture is usually {frame.Width} × {frame.Height}. Set it higher.");
        }
        if (frame.Steps > options.MaxSteps)
        {
            throw new ArgumentException(
                $"Option {nameof(options.MaxSteps)} is {options.MaxSteps}, but a picture usually takes {frame.Steps} steps. Set it higher.");
        }
        Traits = new DsdImageTraits(_fromReference is not null, _fromText is not null, model.TakesGuidance, frame, pixels, options);
        ModelId = options.ModelId ?? model.Name;
        _metadata = new ImageGeneratorMetadata("dsd", null, ModelId);
        _turns = new SemaphoreSlim(options.AtOnce);
    }

    /// <summary>The model's name.</summary>
    public string ModelId { get; }

    /// <summary>What it can draw.</summary>
    public DsdImageTraits Traits { get; }

    /// <summary>Loads a model, which may take a while, and makes a generator over it.</summary>
    /// <param name="model">Which model, and with what it is drawn.</param>
    /// <param name="options">Defaults and bounds. Null is the defaults.</param>
    /// <exception cref="Models.Weights.WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other or do not suit the model, or there is no such device.</exception>
    /// <exception cref="IOException">A folder or file is missing, or cannot be read.</exception>
    public static DsdImageGenerator Open(ImageModel model, DsdImageGeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        OpenedModel opened = model.Open();
        try
        {
            return new DsdImageGenerator(opened, options);
        }
        catch
        {
            opened.FromReference?.Dispose();
            opened.FromText?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Refuses what <see cref="GenerateAsync"/> would refuse, without waiting or drawing. The sizes that a model's tokens allow show when it draws.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="options">Its options.</param>
    /// <exception cref="DsdImageRequestException">It cannot be drawn; the message says why.</exception>
    public void Check(ImageGenerationRequest request, ImageGenerationOptions? options = null) => Plan(request, options);

    /// <inheritdoc/>
    /// <returns>
    /// A <see cref="DataContent"/> for each picture, with its seed under <see cref="DsdImageProperties.Seed"/> of its additional properties;
    /// <see cref="DsdImages"/> as raw representation.
    /// </returns>
    /// <exception cref="DsdImageRequestException">The request cannot be drawn; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled: no further step is taken. Or the generator was disposed.</exception>
    public async Task<ImageGenerationResponse> GenerateAsync(
        ImageGenerationRequest request, ImageGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        ImagePlan plan = Plan(request, options);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        await _turns.WaitAsync(stop.Token).ConfigureAwait(false);
        try
        {
            List<AIContent> contents = [];
            DsdImages drawn = await Task.Run(() => plan.Draw(_fromReference, _fromText, contents, stop.Token), stop.Token).ConfigureAwait(false);
            return new ImageGenerationResponse(contents) { RawRepresentation = drawn };
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ImageGeneratorMetadata) ? _metadata
            : serviceType == typeof(DsdImageTraits) ? Traits
            : serviceType == typeof(IDsdModel) ? _fromReference
            : serviceType == typeof(ITextToImageModel) ? _fromText
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Stops what is being drawn, waits for it, and frees the models.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        _ended.Cancel();
        for (int i = 0; i < Traits.Options.AtOnce; i++)
        {
            _turns.Wait();
        }
        _fromReference?.Dispose();
        if (!ReferenceEquals(_fromReference, _fromText))
        {
            _fromText?.Dispose();
        }
    }

    private ImagePlan Plan(ImageGenerationRequest request, ImageGenerationOptions? options)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ImagePlan.Of(request, options, Traits, ModelId, this);
    }
}
