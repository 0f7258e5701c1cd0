using Dsd.Models.Autoencoder;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>A whole FLUX model: text encoders, transformer, autoencoder and schedule, and perhaps an adapter. Owns them all.</summary>
public sealed class FluxModel : IDisposable
{
    private const string TransformerName = "transformer";
    private IReadOnlyList<IDisposable> _attachments = [];
    private readonly IdleModule _vae;

    /// <summary>Puts the parts together.</summary>
    /// <exception cref="ArgumentException">The parts do not fit together; names both sizes.</exception>
    public FluxModel(TextEncoders text, FluxTransformer transformer, AutoencoderKL vae, SchedulerConfig scheduler)
        : this(text, transformer, vae, scheduler, MemoryMode.Resident)
    {
    }

    private FluxModel(TextEncoders text, FluxTransformer transformer, AutoencoderKL vae, SchedulerConfig scheduler, MemoryMode memory)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(transformer);
        ArgumentNullException.ThrowIfNull(vae);
        ArgumentNullException.ThrowIfNull(scheduler);
        scheduler.Validate();
        FluxConfig config = transformer.Config;
        Same("the transformer's in_channels", config.InChannels, "four times the autoencoder's latent_channels", 4 * vae.Config.LatentChannels);
        Same("the transformer's out_channels", config.OutputChannels, "its in_channels", config.InChannels);
        Same("the transformer's joint_attention_dim", config.JointAttentionDim, "T5's d_model", text.T5.Config.DModel);
        Same("the transformer's pooled_projection_dim", config.PooledProjectionDim, "CLIP's hidden_size", text.Clip.Config.HiddenSize);
        (Text, Transformer, Vae, Scheduler, Memory) = (text, transformer, vae, scheduler, memory);
        _vae = new IdleModule(vae, memory == MemoryMode.Resident ? null : transformer.Device);
    }

    /// <summary>Tokenizers and text encoders.</summary>
    public TextEncoders Text { get; }

    /// <summary>The transformer, with the adapter over it if one was loaded.</summary>
    public FluxTransformer Transformer { get; }

    /// <summary>The autoencoder.</summary>
    public AutoencoderKL Vae { get; }

    /// <summary>What of it lies on the device.</summary>
    public MemoryMode Memory { get; }

    /// <summary>How noise levels are spaced.</summary>
    public SchedulerConfig Scheduler { get; }

    /// <summary>Told what was done otherwise than asked. Null tells nobody.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Pixels a side that become one token: sizes must be multiples of it. FLUX: 16.</summary>
    public int TokenSide => 2 * Vae.Config.Factor;

    /// <summary>Loads a plain model from a pipeline's folder in diffusers' layout.</summary>
    /// <param name="folder">The folder with <c>model_index.json</c>.</param>
    /// <param name="options">Device, type and adapter. Null is the defaults.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, the parts do not fit together, or the transformer is a conditional one.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    /// <exception cref="NotSupportedException">Eight bits are asked for, and the GPU or its libraries cannot do them.</exception>
    /// <exception cref="InvalidOperationException">A memory mode is asked for, and the host's memory cannot be kept in place for the GPU.</exception>
    public static FluxModel Load(string folder, PipelineOptions? options = null)
    {
        options ??= new PipelineOptions();
        return LoadParts(FindPlain(folder, options), options);
    }

    /// <summary>Loads a conditional model, as Diffusion Self-Distillation makes it.</summary>
    /// <param name="folder">A FLUX pipeline's folder, for all parts but perhaps the transformer.</param>
    /// <param name="dsdFolder">A DSD release folder, whose <c>transformer</c> is used; null for the pipeline's own transformer, whose
    /// <c>c_embedder</c> is zero unless its checkpoint or the adapter brings one.</param>
    /// <param name="options">Device, type and adapter. Null is the defaults. A release's own adapter is used only when named here.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    /// <exception cref="NotSupportedException">Eight bits are asked for, and the GPU or its libraries cannot do them.</exception>
    /// <exception cref="InvalidOperationException">A memory mode is asked for, and the host's memory cannot be kept in place for the GPU.</exception>
    public static FluxModel LoadConditional(string folder, string? dsdFolder = null, PipelineOptions? options = null)
    {
        options ??= new PipelineOptions();
        return LoadParts(FindConditional(folder, dsdFolder, options), options);
    }

    /// <summary>Finds the parts of a plain model: see <see cref="Load"/>.</summary>
    internal static (ModelFolder Parts, FluxConfig Config, string Weights) FindPlain(string folder, PipelineOptions options)
    {
        ModelFolder parts = ModelFolder.Open(folder);
        FluxConfig config = ConfigOf(options.TransformerFile) ?? parts.ReadConfig<FluxConfig>(TransformerName);
        return config.Conditional
            ? throw new WeightsException(folder, $"a plain transformer ({FluxConfig.PlainClass})", $"{FluxConfig.ConditionalClass}, which needs a reference: load it as a conditional model")
            : (parts, config, options.TransformerFile ?? parts.ComponentFolder(TransformerName));
    }

    /// <summary>Finds the parts of a conditional model: see <see cref="LoadConditional"/>.</summary>
    internal static (ModelFolder Parts, FluxConfig Config, string Weights) FindConditional(string folder, string? dsdFolder, PipelineOptions options)
    {
        if (dsdFolder is not null && options.TransformerFile is not null)
        {
            throw new ArgumentException($"Option {nameof(options.TransformerFile)} and a release folder both bring a transformer: leave one out.", nameof(options));
        }
        ModelFolder parts = ModelFolder.Open(folder);
        if (ConfigOf(options.TransformerFile) is { } told)
        {
            return (parts, told with { Conditional = true }, options.TransformerFile!);
        }
        ModelFolder source = dsdFolder is null ? parts : ModelFolder.OpenParts(dsdFolder);
        // The release's own description calls the folder by the second name.
        string name = !source.Has(TransformerName) && source.Has("transformers") ? "transformers" : TransformerName;
        FluxConfig config = source.ReadConfig<FluxConfig>(name) with { Conditional = true };
        return (parts, config, options.TransformerFile ?? source.ComponentFolder(name));
    }

    /// <summary>Has the autoencoder on the device until the result is disposed.</summary>
    internal IDisposable? WithVae() => _vae.Visit();

    /// <summary>
    /// Lays these adapters over the transformer, all at once, in place of those that lay there. Nothing is loaded again but the adapters, and the transformer's own weights stay as
    /// they are; with no adapter the model is the plain one. A part for CLIP is laid over CLIP's text encoder where <see cref="LoraUse.TextEncoders"/> asks for it; what is left out
    /// of a file is told to <see cref="Warn"/>.
    /// </summary>
    /// <param name="adapters">The adapters, none of them twice; at most one that holds layers whole, such as DSD's <c>c_embedder</c>.</param>
    /// <exception cref="WeightsException">A file is none, or does not fit the transformer or the other adapters. The adapters from before then stay.</exception>
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
                loaded.Add(LoraAdapter.Load(use.File, use.TextEncoders));
                loaded[^1].RequireFit(Transformer, use.Scale);
                loaded[^1].RequireFit(Text.Clip, use.Scale);
            }
            if (loaded.Where(a => a.Whole.Count > 0).Skip(1).FirstOrDefault() is { } second)
            {
                throw new WeightsException(second.Source, "one adapter that holds layers whole", $"a second one: {string.Join(", ", second.Whole.Keys)}. Which should count is nobody's guess");
            }
            // Nothing is wrong with them any more, so the old ones can go.
            TakeOff(_attachments);
            _attachments = attached;
            foreach ((LoraAdapter adapter, LoraUse use) in loaded.Zip(adapters))
            {
                attached.Add(adapter.Attach(Transformer, use.Scale));
                attached.Add(adapter.Attach(Text.Clip, use.Scale));
                foreach (string remark in adapter.Remarks)
                {
                    Warn?.Invoke(remark);
                }
            }
        }
        finally
        {
            loaded.ForEach(adapter => adapter.Dispose());
        }
    }

    /// <summary>Frees all parts.</summary>
    public void Dispose()
    {
        TakeOff(_attachments);
        Text.Dispose();
        Transformer.Dispose();
        Vae.Dispose();
    }

    private static void TakeOff(IEnumerable<IDisposable> attachments)
    {
        foreach (IDisposable attachment in attachments)
        {
            attachment.Dispose();
        }
    }

    private static FluxConfig? ConfigOf(string? transformerFile)
    {
        using WeightSource? weights = transformerFile is null ? null : WeightSource.Open(transformerFile);
        return weights is null ? null : FluxCheckpoint.ConfigOf(weights);
    }

    private static FluxModel LoadParts((ModelFolder Parts, FluxConfig Config, string Weights) found, PipelineOptions options)
    {
        (ModelFolder parts, FluxConfig config, string transformerWeights) = found;
        options.Validate();
        SchedulerConfig scheduler = parts.ReadConfig<SchedulerConfig>("scheduler", "scheduler_config.json", "FlowMatchEulerDiscreteScheduler");
        TextEncoders? text = null;
        AutoencoderKL? vae = null;
        FluxTransformer? transformer = null;
        FluxModel? model = null;
        try
        {
            text = TextEncoders.Load(parts, options);
            vae = LoadVae(parts, options);
            using (WeightSource weights = WeightSource.Open(transformerWeights))
            {
                transformer = FluxCheckpoint.Load(config, weights, options.Device, options.DType, options.Memory, options.Float8);
            }
            model = new FluxModel(text, transformer, vae, scheduler, options.Memory) { Warn = options.Warn };
            if (options.Loras.Count > 0)
            {
                model.SetAdapters(options.Loras);
            }
            return model;
        }
        catch (Exception e)
        {
            text?.Dispose();
            vae?.Dispose();
            transformer?.Dispose();
            if (e is ArgumentException && model is null)
            {
                throw new WeightsException(parts.Path, $"'{parts.Path}': {e.Message}", e);
            }
            throw;
        }
    }

    private static AutoencoderKL LoadVae(ModelFolder parts, PipelineOptions options)
    {
        VaeConfig config = parts.ReadConfig<VaeConfig>("vae", classNames: "AutoencoderKL");
        config.Validate();
        using WeightSource weights = WeightSource.Open(options.VaeFile ?? parts.ComponentFolder("vae"));
        VaeSingleFile? single = VaeSingleFile.Of(weights, config);
        string prefix = single?.Prefix ?? "";
        weights.Expect($"{prefix}encoder.conv_in.weight", "first of block_out_channels, in_channels", config.BlockOutChannels[0], config.InChannels, 3, 3);
        weights.Expect($"{prefix}decoder.conv_in.weight", "last of block_out_channels, latent_channels", config.BlockOutChannels[^1], config.LatentChannels, 3, 3);
        using DisposeScope scope = NewDisposeScope();
        AutoencoderKL vae = WeightLoader.Kept(new AutoencoderKL(config, options.Memory == MemoryMode.Resident ? options.Device : CPU, options.WideType));
        try
        {
            if (single is null)
            {
                WeightLoader.Load(vae, weights);
            }
            else
            {
                single.Load(vae);
            }
            vae.TileSide = options.VaeTileSide;
            return vae;
        }
        catch
        {
            vae.Dispose();
            throw;
        }
    }

    private static void Same(string first, int value, string second, int other)
    {
        if (value != other)
        {
            throw new ArgumentException($"The model's parts do not fit together: {first} ({value}) must be {second} ({other}).");
        }
    }
}
