using Dsd.Imaging;
using Dsd.Models.Autoencoder;
using Dsd.Models.Imaging;
using Dsd.Models.Layers;
using Dsd.Models.Lora;
using Dsd.Models.Native;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Families;

/// <summary>A whole base model in TorchSharp: text encoders, denoising network, autoencoder and schedule. Owns them all.</summary>
/// <remarks>
/// A family derives from this class and brings what is its own: the network, how prompts are encoded, and what the network is given.
/// Sampling, guidance, training and adapters are written once, over this class.
/// </remarks>
public abstract class DiffusionModel : IModelBackend<Tensor>, IDisposable
{
    private readonly IdleModule _vae;
    private IReadOnlyList<IDisposable> _attachments = [];
    private ModelIdentity _loaded = ModelIdentity.Unknown();

    /// <summary>Takes over what all families have.</summary>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="schedule">How noise levels are spaced.</param>
    /// <param name="memory">What of the model lies on the device.</param>
    /// <param name="device">Where the model computes, if the autoencoder waits on the host; null where it stays where it is.</param>
    /// <exception cref="ArgumentException">The schedule contradicts itself.</exception>
    protected DiffusionModel(AutoencoderKL vae, SchedulerConfig schedule, MemoryMode memory = MemoryMode.Resident, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(vae);
        ArgumentNullException.ThrowIfNull(schedule);
        schedule.Validate();
        (Vae, Schedule, Memory) = (vae, schedule, memory);
        _vae = new IdleModule(vae, device);
    }

    /// <summary>The network that predicts velocities, with the adapters that lie over it.</summary>
    public abstract DenoisingNetwork Network { get; }

    /// <summary>The autoencoder.</summary>
    public AutoencoderKL Vae { get; }

    /// <summary>How noise levels are spaced.</summary>
    public SchedulerConfig Schedule { get; }

    /// <summary>What of the model lies on the device.</summary>
    public MemoryMode Memory { get; }

    /// <summary>Tells this model's encoders from others', as long as no adapter over a text encoder is changed.</summary>
    internal ModelIdentity Identity { get; private set; } = ModelIdentity.Unknown();

    /// <summary>Called with a warning when something is done otherwise than asked. Null: nobody is warned.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Whether the distilled guidance is an input of the network. Default: no.</summary>
    public virtual bool TakesGuidance => false;

    /// <summary>How reference and result lie on a canvas. Default: beside each other.</summary>
    public virtual FrameOrder Frames => FrameOrder.Beside;

    /// <summary>CLIP's text encoder, over which an adapter's part for it is laid. Null for families without one.</summary>
    public virtual ClipTextModel? Clip => null;

    /// <summary>Loads a plain model, which draws from prompts alone, from a pipeline's folder in diffusers' layout.</summary>
    /// <param name="folder">The folder with <c>model_index.json</c>, whose <c>_class_name</c> tells the family.</param>
    /// <param name="options">Device, type and adapters. Null is the defaults.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, no family knows it, the parts do not fit together, or the network is a
    /// conditional one.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    /// <exception cref="NotSupportedException">Eight bits are asked for, and the GPU or its libraries cannot do them.</exception>
    /// <exception cref="InvalidOperationException">A memory mode is asked for, and the host's memory cannot be kept in place for the GPU.</exception>
    /// <exception cref="DllNotFoundException">The program brings no libtorch; the message says which package to add.</exception>
    public static DiffusionModel Load(string folder, PipelineOptions? options = null) => Load(new ModelSource(folder), options);

    /// <summary>Loads a conditional model, as Diffusion Self-Distillation makes it.</summary>
    /// <param name="folder">A pipeline's folder, for all parts but perhaps the network.</param>
    /// <param name="releaseFolder">A DSD release folder, whose network is used. Null for the pipeline's own, whose <c>c_embedder</c> is
    /// zero unless its checkpoint or an adapter brings one.</param>
    /// <param name="options">Device, type and adapters. Null is the defaults. A release's own adapter is used only when named here.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, no family knows it, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    /// <exception cref="NotSupportedException">Eight bits are asked for, and the GPU or its libraries cannot do them.</exception>
    /// <exception cref="InvalidOperationException">A memory mode is asked for, and the host's memory cannot be kept in place for the GPU.</exception>
    public static DiffusionModel LoadConditional(string folder, string? releaseFolder = null, PipelineOptions? options = null) =>
        Load(new ModelSource(folder) { ReleaseFolder = releaseFolder, Conditional = true }, options);

    /// <summary>What prompts say to the network, each tensor [batch, …]. The caller disposes it.</summary>
    /// <param name="prompts">At least one; each may be empty.</param>
    /// <param name="maxTokens">Text tokens that each is padded or cut to. Null is what the tokenizer says.</param>
    /// <param name="warn">Called with a warning for each prompt that was cut off.</param>
    /// <exception cref="ArgumentException">There is no prompt, or one cannot be encoded.</exception>
    public abstract PromptEmbedding EncodePrompts(IReadOnlyList<string> prompts, int? maxTokens = null, Action<string>? warn = null);

    /// <summary>The velocity <c>noise − x₀</c> of noisy latents, with autograd where it is enabled: what training learns.</summary>
    /// <param name="latents">[batch, tokens, channels].</param>
    /// <param name="condition">[batch, tokens, channels]; given if and only if the network is conditional.</param>
    /// <param name="prompts">What <see cref="EncodePrompts"/> gave, of this batch.</param>
    /// <param name="sigma">Noise levels in 0…1: [batch].</param>
    /// <param name="guidance">Distilled guidance, an input of models that have a guidance embedding; others ignore it.</param>
    /// <param name="canvas">The size of each picture.</param>
    /// <returns>[batch, tokens, channels], in the network's type.</returns>
    public abstract Tensor Velocity(Tensor latents, Tensor? condition, PromptEmbedding prompts, Tensor sigma, float guidance, Canvas canvas);

    /// <summary>A denoiser for a batch, which the caller disposes. By default it calls <see cref="Velocity"/> in each step.</summary>
    public virtual IDenoiser<Tensor> Denoiser(DenoiserInputs<Tensor> inputs) => new VelocityDenoiser(this, inputs);

    /// <inheritdoc/>
    public virtual Canvas CanvasOf(int width, int height) => new(width, height, Vae.Config.Factor, Vae.Config.LatentChannels);

    /// <inheritdoc/>
    public Tensor FromTokens(float[] tokens, Canvas canvas)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(canvas);
        return AlignedTensor.Of(tokens, [tokens.Length / canvas.LatentSize, canvas.Tokens, canvas.TokenChannels], Network.Device);
    }

    /// <inheritdoc/>
    public Tensor Encode(
        IReadOnlyList<Picture> pictures, Canvas canvas, IReadOnlyList<long>? seeds = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        ArgumentNullException.ThrowIfNull(canvas);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using IDisposable? vae = _vae.Visit();
        List<Tensor> parts = [];
        for (int first = 0; first < pictures.Count; first += canvas.AtOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using DisposeScope inner = NewDisposeScope();
            Picture[] some = [.. pictures.Skip(first).Take(canvas.AtOnce)];
            Tensor images = PictureTensors.FromPictures(some, Network.Device, Vae.DType); // [part, 3, height, width]
            (Tensor mean, Tensor logVariance) = Vae.Encode(images);
            Tensor latents = mean.to(ScalarType.Float32); // [part, channels, height / factor, width / factor]
            if (seeds is not null)
            {
                float[] numbers = [.. seeds.Skip(first).Take(some.Length).SelectMany(seed => Noise.ForCondition(seed, canvas.LatentSize))];
                latents = latents.Plus(logVariance.to(ScalarType.Float32).Times(0.5).exp() * tensor(numbers, latents.shape, device: latents.device));
            }
            parts.Add(LatentPacking.Pack(Vae.Scale(latents), canvas.Patch).MoveToOuterDisposeScope());
        }
        return cat(parts, dim: 0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public IReadOnlyList<Picture> Decode(Tensor latents, Canvas canvas, CancellationToken cancellationToken = default)
    {
        using DisposeScope scope = NewDisposeScope();
        return PictureTensors.ToPictures(DecodeImages(latents, canvas, cancellationToken));
    }

    /// <summary>Images [batch, 3, height, width] in about −1…1 of packed latents.</summary>
    /// <param name="latents">[batch, tokens, channels].</param>
    /// <param name="canvas">The size of each picture.</param>
    /// <param name="cancellationToken">Looked at between pictures that are decoded together.</param>
    /// <exception cref="ArgumentException">The latents have another shape.</exception>
    public Tensor DecodeImages(Tensor latents, Canvas canvas, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(latents);
        ArgumentNullException.ThrowIfNull(canvas);
        LatentOptions.RequireShape(latents, canvas, latents.dim() > 0 ? latents.shape[0] : 1, "what is decoded");
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using IDisposable? vae = _vae.Visit();
        Tensor unpacked = LatentPacking.Unpack(latents, canvas.LatentHeight, canvas.LatentWidth, canvas.Patch); // [batch, channels, height, width]
        unpacked = Vae.Unscale(unpacked).to(Vae.DType);
        return cat([.. unpacked.split(canvas.AtOnce, dim: 0).Select(Decoded)], dim: 0).MoveToOuterDisposeScope();

        Tensor Decoded(Tensor part)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Vae.Decode(part);
        }
    }

    /// <summary>
    /// Lays these adapters over the network, all at once, in place of those that lay there. Nothing is loaded again but the adapters, and the
    /// network's own weights stay as they are; with no adapter the model is the plain one. A part for CLIP is laid over CLIP's text encoder where
    /// <see cref="LoraUse.TextEncoders"/> asks for it; <see cref="Warn"/> is called with what is left out of a file.
    /// </summary>
    /// <param name="adapters">
    /// The adapters, as files or in memory, none of them twice; at most one that holds layers whole, such as DSD's <c>c_embedder</c>.
    /// </param>
    /// <exception cref="WeightsException">A file is none, or does not fit the network or the other adapters. The adapters from before then stay.</exception>
    /// <exception cref="IOException">A file cannot be read. The adapters from before then stay.</exception>
    /// <remarks>It must not run beside a generation.</remarks>
    public void SetAdapters(params IReadOnlyList<LoraUse> adapters)
    {
        ArgumentNullException.ThrowIfNull(adapters);
        List<LoraAdapter> loaded = [];
        List<IDisposable> attached = [];
        try
        {
            foreach (LoraUse use in adapters)
            {
                loaded.Add(use.Adapter ?? LoraAdapter.Load(use.File!, use.TextEncoders));
                loaded[^1].RequireFit(Network, use.Scale);
                loaded[^1].RequireFit(Clip, use.Scale);
            }
            if (loaded.Where(a => a.Whole.Count > 0).Skip(1).FirstOrDefault() is { } second)
            {
                throw new WeightsException(
                    second.Source, "one adapter that holds layers whole",
                    $"a second one: {string.Join(", ", second.Whole.Keys)}. Leave one of them out");
            }
            // Nothing is wrong with them any more, so the old ones can go.
            TakeOff(_attachments);
            _attachments = attached;
            // An adapter in memory may hold a part for the text encoder too.
            Identity = adapters.Any(a => a.Adapter is not null || a.TextEncoders == LoraTextEncoders.Apply) ? _loaded.WithOtherText() : _loaded;
            foreach ((LoraAdapter adapter, LoraUse use) in loaded.Zip(adapters))
            {
                attached.Add(adapter.Attach(Network, use.Scale));
                if (Clip is { } clip)
                {
                    attached.Add(adapter.Attach(clip, use.Scale));
                }
                foreach (string remark in adapter.Remarks)
                {
                    Warn?.Invoke(remark);
                }
            }
        }
        finally
        {
            foreach ((LoraAdapter adapter, _) in loaded.Zip(adapters).Where(l => l.Second.Adapter is null))
            {
                adapter.Dispose();
            }
        }
    }

    /// <summary>Frees all parts.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees adapters, network and autoencoder. A family frees its text encoders too.</summary>
    /// <param name="disposing">Whether <see cref="Dispose()"/> was called.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            TakeOff(_attachments);
            Network.Dispose();
            Vae.Dispose();
        }
    }

    private static DiffusionModel Load(ModelSource source, PipelineOptions? options)
    {
        options ??= new PipelineOptions();
        TorchLibrary.Require();
        (ModelFamily family, ModelFolder folder) = ModelFamilies.Open(source.Folder);
        DiffusionModel model = family.Load(folder, source, options);
        try
        {
            // The condition is what training is for, and training is what keeps things by it.
            model._loaded = model.Identity = source.Conditional ? ModelIdentity.Of(folder, options) : model.Identity;
            if (options.Loras.Count > 0)
            {
                model.SetAdapters(options.Loras);
            }
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static void TakeOff(IEnumerable<IDisposable> attachments)
    {
        foreach (IDisposable attachment in attachments)
        {
            attachment.Dispose();
        }
    }
}
