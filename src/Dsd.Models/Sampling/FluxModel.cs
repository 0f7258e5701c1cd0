using Dsd.Models.Autoencoder;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>A whole FLUX model: text encoders, transformer, autoencoder and schedule, and perhaps an adapter. Owns them all.</summary>
public sealed class FluxModel : IDisposable
{
    private const string TransformerName = "transformer";
    private LoraAttachment? _attachment;

    /// <summary>Puts the parts together.</summary>
    /// <exception cref="ArgumentException">The parts do not fit together; names both sizes.</exception>
    public FluxModel(TextEncoders text, FluxTransformer transformer, AutoencoderKL vae, SchedulerConfig scheduler)
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
        (Text, Transformer, Vae, Scheduler) = (text, transformer, vae, scheduler);
    }

    /// <summary>Tokenizers and text encoders.</summary>
    public TextEncoders Text { get; }

    /// <summary>The transformer, with the adapter over it if one was loaded.</summary>
    public FluxTransformer Transformer { get; }

    /// <summary>The autoencoder.</summary>
    public AutoencoderKL Vae { get; }

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
    public static FluxModel Load(string folder, PipelineOptions? options = null)
    {
        ModelFolder parts = ModelFolder.Open(folder);
        FluxConfig config = parts.ReadConfig<FluxConfig>(TransformerName);
        return config.Conditional
            ? throw new WeightsException(folder, $"a plain transformer ({FluxConfig.PlainClass})", $"{FluxConfig.ConditionalClass}, which needs a reference: load it as a conditional model")
            : Load(parts, config, parts.ComponentFolder(TransformerName), options ?? new PipelineOptions());
    }

    /// <summary>Loads a conditional model, as Diffusion Self-Distillation makes it.</summary>
    /// <param name="folder">A FLUX pipeline's folder, for all parts but perhaps the transformer.</param>
    /// <param name="dsdFolder">A DSD release folder, whose <c>transformer</c> is used; null for the pipeline's own transformer, whose
    /// <c>c_embedder</c> is zero unless its checkpoint or the adapter brings one.</param>
    /// <param name="options">Device, type and adapter. Null is the defaults. A release's own adapter is used only when named here.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    public static FluxModel LoadConditional(string folder, string? dsdFolder = null, PipelineOptions? options = null)
    {
        ModelFolder parts = ModelFolder.Open(folder);
        ModelFolder source = dsdFolder is null ? parts : ModelFolder.OpenParts(dsdFolder);
        // The release's own description calls the folder by the second name.
        string name = !source.Has(TransformerName) && source.Has("transformers") ? "transformers" : TransformerName;
        FluxConfig config = source.ReadConfig<FluxConfig>(name) with { Conditional = true };
        return Load(parts, config, source.ComponentFolder(name), options ?? new PipelineOptions());
    }

    /// <summary>Frees all parts.</summary>
    public void Dispose()
    {
        _attachment?.Dispose();
        Text.Dispose();
        Transformer.Dispose();
        Vae.Dispose();
    }

    private static FluxModel Load(ModelFolder parts, FluxConfig config, string transformerFolder, PipelineOptions options)
    {
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
            using (WeightSource weights = WeightSource.Open(transformerFolder))
            {
                transformer = FluxTransformer.Load(config, weights, options.Device, options.DType);
            }
            model = new FluxModel(text, transformer, vae, scheduler) { Warn = options.Warn };
            if (options.LoraFile is { } file)
            {
                using LoraAdapter adapter = LoraAdapter.Load(file);
                model._attachment = adapter.Attach(transformer, options.LoraScale);
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
        using WeightSource weights = WeightSource.Open(parts.ComponentFolder("vae"));
        weights.Expect("encoder.conv_in.weight", "first of block_out_channels, in_channels", config.BlockOutChannels[0], config.InChannels, 3, 3);
        weights.Expect("decoder.conv_in.weight", "last of block_out_channels, latent_channels", config.BlockOutChannels[^1], config.LatentChannels, 3, 3);
        using DisposeScope scope = NewDisposeScope();
        AutoencoderKL vae = Sampler.Kept(new AutoencoderKL(config, options.Device, options.WideType));
        try
        {
            WeightLoader.Load(vae, weights);
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
