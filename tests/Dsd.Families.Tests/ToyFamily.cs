using Dsd.Models.Autoencoder;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Families.Tests;

/// <summary>
/// A family that is like FLUX in nothing that a rule could be written for: other latent channels, tokens of one place, one text encoder, and
/// frames below each other.
/// </summary>
public sealed class ToyFamily : ModelFamily
{
    public const int Patch = 1;

    public override string Name => "toy";

    public override IReadOnlyList<string> PipelineClasses { get; } = ["ToyPipeline"];

    public override DiffusionModel Load(ModelFolder folder, ModelSource source, PipelineOptions options)
    {
        AutoencoderKL vae = AutoencoderCheckpoint.Load(folder, options);
        ClipTextModel clip = WeightLoader.Kept(ClipTextModel.Load(folder.ComponentFolder("text_encoder")));
        ToyNetwork network = WeightLoader.Kept(new ToyNetwork(vae.Config.LatentChannels, clip.Config.HiddenSize, source.Conditional));
        using (WeightSource weights = WeightSource.Open(folder.ComponentFolder("transformer")))
        {
            WeightLoader.Load(network, weights, optional: name => name.StartsWith("c_embedder.", StringComparison.Ordinal));
        }
        return new ToyModel(ClipTokenizer.Load(folder.ComponentFolder("tokenizer")), clip, network, vae, Schedule(folder)) { Warn = options.Warn };
    }

    public override ModelOutline Outline(ModelFolder folder, ModelSource source, PipelineOptions options)
    {
        VaeConfig vae = folder.ReadConfig<VaeConfig>("vae");
        return new ModelOutline
        {
            CanvasOf = (width, height) => new Canvas(width, height, vae.Factor, vae.LatentChannels, Patch),
            Frames = FrameOrder.Below,
            NetworkWeights = folder.ComponentFolder("transformer"),
        };
    }

    public override NetworkTraits Traits(ModelFolder folder) => new(Condition: false, Guidance: false);

    // The toy's authors call the hidden layer 'mlp'.
    public override LayerParts? OfPublished(string module) => module == "mlp" ? new LayerParts(module, ["hidden"]) : null;

    public static SchedulerConfig Schedule(ModelFolder folder) => folder.ReadConfig<SchedulerConfig>("scheduler", "scheduler_config.json");
}

public sealed class ToyModel(
    ClipTokenizer tokenizer, ClipTextModel clip, ToyNetwork network, AutoencoderKL vae, SchedulerConfig schedule) : DiffusionModel(vae, schedule)
{
    public override DenoisingNetwork Network => network;

    public override ClipTextModel Clip => clip;

    public override FrameOrder Frames => FrameOrder.Below;

    public override Canvas CanvasOf(int width, int height) => new(width, height, Vae.Config.Factor, Vae.Config.LatentChannels, ToyFamily.Patch);

    public override PromptEmbedding EncodePrompts(IReadOnlyList<string> prompts, int? maxTokens = null, Action<string>? warn = null)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        long[] ids = [.. prompts.SelectMany(p => tokenizer.Encode(p, tokenizer.MaxLength))];
        return new PromptEmbedding([clip.forward(tensor(ids, [prompts.Count, tokenizer.MaxLength])).Pooled.MoveToOuterDisposeScope()]);
    }

    public override Tensor Velocity(Tensor latents, Tensor? condition, PromptEmbedding prompts, Tensor sigma, float guidance, Canvas canvas) =>
        network.forward(latents, condition, prompts.Parts[0], sigma);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            clip.Dispose();
        }
        base.Dispose(disposing);
    }
}
