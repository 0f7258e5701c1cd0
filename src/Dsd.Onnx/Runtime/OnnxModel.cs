using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Onnx.Families;

namespace Dsd.Onnx.Runtime;

/// <summary>An exported model as ONNX Runtime runs it. Latents lie where the sessions compute, from the first step to the last.</summary>
internal sealed class OnnxModel : IModelBackend<OnnxTensor>, IDisposable
{
    private readonly OnnxModelFolder _folder;
    private readonly OnnxManifest _manifest;
    private readonly OnnxSessions _sessions;
    private readonly TransformerBatches _batches;
    private readonly PromptInputs _prompts;
    private readonly Action<string>? _warn;
    private readonly bool _isOwner;
    private readonly Lazy<AdapterFactors>? _adapters;

    /// <summary>Opens nothing yet but the tokenizers: sessions are opened when first used.</summary>
    public OnnxModel(OnnxModelFolder folder, OnnxRuntimeOptions options)
    {
        (_folder, _manifest, _warn, _isOwner) = (folder, folder.Manifest, options.Warn, true);
        _sessions = new OnnxSessions(folder, options);
        _batches = new TransformerBatches(_manifest, _sessions);
        _prompts = OnnxFamilies.Of(folder.Family, System.IO.Path.Combine(folder.Path, OnnxManifest.FileName)).Open(folder, _sessions);
        Codec = new PictureCodec(_sessions, _manifest);
        Schedule = ModelFolder.OpenParts(folder.Path).ReadConfig<SchedulerConfig>("scheduler", "scheduler_config.json");
        _adapters = _manifest.TakesAdapters ? new(() => AdapterFactors.Load(folder, _sessions, [], _warn)) : null;
    }

    /// <summary>The same model with adapters, over the same sessions, which stay the other's.</summary>
    private OnnxModel(OnnxModel other, AdapterFactors adapters)
    {
        (_folder, _manifest, _warn) = (other._folder, other._manifest, other._warn);
        (_sessions, _batches, _prompts) = (other._sessions, other._batches, other._prompts);
        (Codec, Schedule, _adapters) = (other.Codec, other.Schedule, new(adapters));
    }

    /// <summary>The same model with other adapters, over the same sessions, which stay this one's.</summary>
    public OnnxModel With(IReadOnlyList<LoraUse> adapters, CancellationToken cancellationToken) =>
        new(this, AdapterFactors.Load(_folder, _sessions, adapters, _warn, cancellationToken));

    /// <summary>Whether it draws from a reference.</summary>
    public bool IsConditional => _folder.IsConditional || (_manifest.Conditional && _adapters is { IsValueCreated: true, Value.BringCondition: true });

    /// <inheritdoc/>
    public SchedulerConfig Schedule { get; }

    /// <inheritdoc/>
    public FrameOrder Frames => _manifest.Frames;

    /// <summary>The sessions.</summary>
    public OnnxSessions Sessions => _sessions;

    /// <summary>The places of the transformer's inputs and outputs.</summary>
    public TransformerBatches Batches => _batches;

    /// <summary>The autoencoder.</summary>
    public PictureCodec Codec { get; }

    /// <inheritdoc/>
    public Canvas CanvasOf(int width, int height) => new(width, height, _manifest.VaeFactor, _manifest.LatentChannels, _manifest.Patch);

    /// <inheritdoc/>
    public OnnxTensor FromTokens(float[] tokens, Canvas canvas)
    {
        using OnnxTensor host = OnnxTensor.Of(tokens, tokens.Length / canvas.LatentSize, canvas.Tokens, canvas.TokenChannels);
        return _sessions.Place.FromHost(host);
    }

    /// <inheritdoc/>
    public OnnxTensor Encode(
        IReadOnlyList<Picture> pictures, Canvas canvas, IReadOnlyList<long>? seeds = null, CancellationToken cancellationToken = default)
    {
        using OnnxTensor host = Codec.Encode(pictures, canvas, seeds, cancellationToken);
        return _sessions.Place.FromHost(host);
    }

    /// <inheritdoc/>
    public IReadOnlyList<Picture> Decode(OnnxTensor latents, Canvas canvas, CancellationToken cancellationToken = default)
    {
        using OnnxTensor host = _sessions.Place.ToHost(latents);
        return Codec.Decode(host.Floats, canvas, cancellationToken);
    }

    /// <inheritdoc/>
    public IDenoiser<OnnxTensor> Denoiser(DenoiserInputs<OnnxTensor> inputs) =>
        new OnnxDenoiser(_manifest, _sessions, _batches, inputs, prompts => _prompts.Of(new NetworkRows
        {
            Prompts = prompts,
            MaxTokens = inputs.MaxTextTokens,
            Canvas = inputs.Canvas,
            // The last level is where the last step ends.
            Sigmas = [.. inputs.Sigmas.SkipLast(1)],
            Guidance = inputs.Guidance,
            Warn = _warn,
            CancellationToken = inputs.CancellationToken,
        }), _adapters is { } adapters ? () => adapters.Value : null);

    /// <summary>Frees the adapters, and closes the sessions if they are its own.</summary>
    public void Dispose()
    {
        if (_adapters is { IsValueCreated: true })
        {
            _batches.Forget(_adapters.Value);
            _adapters.Value.Dispose();
        }
        if (_isOwner)
        {
            // Before the session that they are bound to.
            _batches.Dispose();
            _sessions.Dispose();
        }
    }
}
