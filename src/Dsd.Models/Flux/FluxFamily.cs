using Dsd.Models.Autoencoder;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>FLUX.1 (dev, schnell), the conditional transformer of Diffusion Self-Distillation, and models of the same architecture at any size.</summary>
public sealed class FluxFamily : ModelFamily
{
    private const string Transformer = "transformer";

    // What the published release's own description calls the folder.
    private const string OtherTransformer = "transformers";

    /// <inheritdoc/>
    public override string Name => "flux";

    /// <inheritdoc/>
    public override IReadOnlyList<string> PipelineClasses { get; } = ["FluxPipeline", "FluxConditionalPipeline"];

    /// <inheritdoc/>
    public override DiffusionModel Load(ModelFolder folder, ModelSource source, PipelineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        (FluxConfig config, string transformerWeights) = FindTransformer(folder, source, options);
        options.Validate();
        SchedulerConfig schedule = ScheduleOf(folder);
        TextEncoders? text = null;
        AutoencoderKL? vae = null;
        FluxTransformer? transformer = null;
        try
        {
            text = TextEncoders.Load(folder, options);
            vae = AutoencoderCheckpoint.Load(folder, options);
            using (WeightSource weights = WeightSource.Open(transformerWeights))
            {
                transformer = FluxCheckpoint.Load(config, weights, options.Device, options.DType, options.Memory, options.Float8, options.Trains);
            }
            return new FluxModel(text, transformer, vae, schedule, options.Memory, options.EncodersWait) { Warn = options.Warn };
        }
        catch (Exception e)
        {
            text?.Dispose();
            vae?.Dispose();
            transformer?.Dispose();
            throw e is ArgumentException ? new WeightsException(folder.Path, $"'{folder.Path}': {e.Message}", e) : e;
        }
    }

    /// <inheritdoc/>
    public override ModelOutline Outline(ModelFolder folder, ModelSource source, PipelineOptions options)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        (FluxConfig config, string transformerWeights) = FindTransformer(folder, source, options);
        options.Validate();
        VaeConfig vae = Configs(folder, config);
        ClipTokenizer.Load(folder.ComponentFolder("tokenizer"));
        T5Tokenizer.Load(folder.ComponentFolder("tokenizer_2"));
        string[] others = [folder.ComponentFolder("text_encoder"), folder.ComponentFolder("text_encoder_2"), options.VaeFile ?? folder.ComponentFolder("vae")];
        foreach (string weights in others)
        {
            WeightSource.Open(weights).Dispose();
        }
        using WeightSource transformer = WeightSource.Open(transformerWeights);
        return new ModelOutline
        {
            CanvasOf = (width, height) => new Canvas(width, height, vae.Factor, vae.LatentChannels),
            NetworkWeights = transformerWeights,
            NamesAreOwn = FluxCheckpoint.ConfigOf(transformer) is null,
            Training = FluxTraining.Load(config),
        };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<(string Part, Action Check)> WeightChecks(ModelFolder folder, ModelSource source, PipelineOptions options)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        // A network on no device has shapes and no numbers, so that all is checked and nothing is read.
        return
        [
            (Transformer, () =>
            {
                (FluxConfig config, string file) = FindTransformer(folder, source, options);
                using WeightSource weights = WeightSource.Open(file);
                FluxCheckpoint.Load(config, weights, META).Dispose();
            }),
            ("text_encoder", () => ClipTextModel.Load(folder.ComponentFolder("text_encoder"), META).Dispose()),
            ("text_encoder_2", () => T5Encoder.Load(folder.ComponentFolder("text_encoder_2"), META).Dispose()),
            ("vae", () => AutoencoderCheckpoint.Load(folder, options with { Device = META, Memory = MemoryMode.Resident }).Dispose()),
        ];
    }

    /// <inheritdoc/>
    public override NetworkTraits Traits(ModelFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        FluxConfig config = folder.ReadConfig<FluxConfig>(Transformer);
        return new NetworkTraits(config.Conditional, config.GuidanceEmbeds);
    }

    /// <inheritdoc/>
    public override LayerParts? OfPublished(string module) => FluxNames.OfPublished(module);

    /// <inheritdoc/>
    public override LayerParts? PublishedOf(string module) => FluxNames.PublishedOf(module);

    /// <inheritdoc/>
    public override LayerParts? OfUnderscored(string module) => FluxNames.OfUnderscored(module);

    /// <summary>The folder of the transformer's config and weights: the pipeline's own, or the release's.</summary>
    /// <exception cref="WeightsException">Neither has one.</exception>
    public static (ModelFolder Folder, string Component) TransformerOf(ModelFolder folder, string? releaseFolder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ModelFolder owner = releaseFolder is null ? folder : ModelFolder.OpenParts(releaseFolder);
        return (owner, !owner.Has(Transformer) && owner.Has(OtherTransformer) ? OtherTransformer : Transformer);
    }

    private static (FluxConfig Config, string Weights) FindTransformer(ModelFolder folder, ModelSource source, PipelineOptions options)
    {
        if (source.ReleaseFolder is not null && options.TransformerFile is not null)
        {
            throw new ArgumentException(
                $"Option {nameof(options.TransformerFile)} and a release folder both bring a transformer: leave one out.", nameof(options));
        }
        (FluxConfig config, string weights) = options.TransformerFile is { } file && ConfigOf(file) is { } shape
            ? (shape, file)
            : FromFolder();
        if (source.Conditional)
        {
            return (config with { Conditional = true }, weights);
        }
        return config.Conditional
            ? throw new WeightsException(
                folder.Path, $"a plain transformer ({FluxConfig.PlainClass})",
                $"{FluxConfig.ConditionalClass}, which needs a reference: load it as a conditional model")
            : (config, weights);

        (FluxConfig, string) FromFolder()
        {
            (ModelFolder owner, string component) = TransformerOf(folder, source.ReleaseFolder);
            return (owner.ReadConfig<FluxConfig>(component), options.TransformerFile ?? owner.ComponentFolder(component));
        }
    }

    private static FluxConfig? ConfigOf(string file)
    {
        using WeightSource weights = WeightSource.Open(file);
        return FluxCheckpoint.ConfigOf(weights);
    }

    private static SchedulerConfig ScheduleOf(ModelFolder folder) =>
        folder.ReadConfig<SchedulerConfig>("scheduler", "scheduler_config.json", "FlowMatchEulerDiscreteScheduler");

    private static VaeConfig Configs(ModelFolder folder, FluxConfig flux)
    {
        VaeConfig vae = folder.ReadConfig<VaeConfig>("vae", classNames: "AutoencoderKL");
        folder.ReadConfig<ClipTextConfig>("text_encoder");
        folder.ReadConfig<T5Config>("text_encoder_2");
        SchedulerConfig schedule = ScheduleOf(folder);
        try
        {
            flux.Validate();
            vae.Validate();
            schedule.Validate();
            return vae;
        }
        catch (ArgumentException e)
        {
            throw new WeightsException(folder.Path, "configs that describe a model", e.Message.TrimEnd('.'), e);
        }
    }
}
