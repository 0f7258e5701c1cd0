using Dsd.Models.Autoencoder;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Text;
using Dsd.Models.Weights;

namespace Dsd.Models.Sampling;

/// <summary>
/// Looks whether a model can be loaded, before hours of other work depend on it: configs, tokenizers, the headers of weights and adapters, and the device. No weights are read, so it
/// takes a moment for a model of any size; what only the weights show is left to loading.
/// </summary>
public static class FluxModelCheck
{
    private static readonly string[] Encoders = ["text_encoder", "text_encoder_2"];

    /// <summary>Checks what <see cref="FluxModel.Load"/> would load, and draw with.</summary>
    /// <param name="folder">The folder with <c>model_index.json</c>.</param>
    /// <param name="width">Width in pixels of the pictures that shall be drawn.</param>
    /// <param name="height">Height in pixels of the pictures that shall be drawn.</param>
    /// <param name="options">Device, type and adapters. Null is the defaults.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or an adapter does not fit.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, there is no such device, or the size does not come out as whole tokens.</exception>
    /// <exception cref="IOException">A folder or file is missing, or cannot be read.</exception>
    public static void Plain(string folder, int width, int height, PipelineOptions? options = null)
    {
        options ??= new PipelineOptions();
        Check(FluxModel.FindPlain(folder, options), width, height, options, []);
    }

    /// <summary>Checks what <see cref="FluxModel.LoadConditional"/> would load, and draw or train with.</summary>
    /// <param name="folder">A FLUX pipeline's folder.</param>
    /// <param name="dsdFolder">A DSD release folder; null for none.</param>
    /// <param name="width">Width in pixels of a frame.</param>
    /// <param name="height">Height in pixels of a frame.</param>
    /// <param name="options">Device, type and adapters. Null is the defaults.</param>
    /// <param name="targets">Endings of the layers that a new adapter shall adapt (<see cref="LoraOptions.Targets"/>). Null is none.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or an adapter does not fit.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, there is no such device or layer, or the size does not come out as whole tokens.</exception>
    /// <exception cref="IOException">A folder or file is missing, or cannot be read.</exception>
    public static void Conditional(string folder, string? dsdFolder, int width, int height, PipelineOptions? options = null, IReadOnlyList<string>? targets = null)
    {
        options ??= new PipelineOptions();
        Check(FluxModel.FindConditional(folder, dsdFolder, options), width, height, options, targets ?? []);
    }

    private static void Check((ModelFolder Parts, FluxConfig Config, string Weights) model, int width, int height, PipelineOptions options, IReadOnlyList<string> targets)
    {
        options.Validate();
        VaeConfig vae = Configs(model.Parts, model.Config);
        ClipTokenizer.Load(model.Parts.ComponentFolder("tokenizer"));
        T5Tokenizer.Load(model.Parts.ComponentFolder("tokenizer_2"));
        int side = 2 * vae.Factor;
        if (width % side != 0 || height % side != 0)
        {
            throw new ArgumentException($"Model '{model.Parts.Path}' draws pictures whose sides are multiples of {side} pixels, but {width} × {height} was asked for.");
        }
        foreach (string weights in Encoders.Select(model.Parts.ComponentFolder).Append(options.VaeFile ?? model.Parts.ComponentFolder("vae")))
        {
            WeightSource.Open(weights).Dispose();
        }
        using WeightSource transformer = WeightSource.Open(model.Weights);
        string[] whole = [.. options.Loras.Where(lora => LoraHeader.Check(lora, transformer)).Select(lora => lora.File)];
        if (whole.Length > 1)
        {
            throw new WeightsException(whole[1], "one adapter that holds layers whole", $"a second one beside '{whole[0]}'. Which should count is nobody's guess");
        }
        if (FluxCheckpoint.ConfigOf(transformer) is null && targets.Where(t => !transformer.Names.Any(n => LoraAdapter.Matches(n, t + ".weight"))).ToArray() is { Length: > 0 } lost)
        {
            throw new ArgumentException($"Targets {string.Join(", ", lost)} match no layer of the transformer '{transformer.Path}'.");
        }
    }

    private static VaeConfig Configs(ModelFolder parts, FluxConfig flux)
    {
        VaeConfig vae = parts.ReadConfig<VaeConfig>("vae", classNames: "AutoencoderKL");
        parts.ReadConfig<ClipTextConfig>(Encoders[0]);
        parts.ReadConfig<T5Config>(Encoders[1]);
        SchedulerConfig scheduler = parts.ReadConfig<SchedulerConfig>("scheduler", "scheduler_config.json", "FlowMatchEulerDiscreteScheduler");
        try
        {
            flux.Validate();
            vae.Validate();
            scheduler.Validate();
            return vae;
        }
        catch (ArgumentException e)
        {
            throw new WeightsException(parts.Path, "configs that describe a model", e.Message.TrimEnd('.'), e);
        }
    }
}
