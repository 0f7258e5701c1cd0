using Dsd.Models.Autoencoder;
using Dsd.Models.Flux;
using Dsd.Models.Text;

namespace Dsd.Models.Benchmark;

/// <summary>The shapes of all networks of a FLUX pipeline, which must fit together: see <see cref="RandomModel"/>.</summary>
public sealed record RandomModelShape
{
    /// <summary>Those of FLUX.1-dev with a condition: 33 GB in bfloat16. The vocabularies are FLUX's, whatever tokenizers lie beside them.</summary>
    public static RandomModelShape Dev { get; } = new()
    {
        Transformer = FluxConfig.Dev with { Conditional = true },
        Clip = new ClipTextConfig { VocabSize = 49408, HiddenSize = 768, IntermediateSize = 3072, NumHiddenLayers = 12, NumAttentionHeads = 12 },
        T5 = new T5Config { VocabSize = 32128, DModel = 4096, DKv = 64, DFf = 10240, NumLayers = 24, NumHeads = 64, FeedForwardProj = "gated-gelu" },
        Vae = new VaeConfig
        {
            LatentChannels = 16,
            BlockOutChannels = [128, 256, 512, 512],
            LayersPerBlock = 2,
            UseQuantConv = false,
            UsePostQuantConv = false,
            ScalingFactor = 0.3611f,
            ShiftFactor = 0.1159f,
        },
    };

    /// <summary>The transformer.</summary>
    public required FluxConfig Transformer { get; init; }

    /// <summary>CLIP's text encoder. Its end token is taken from the tokenizer's model.</summary>
    public required ClipTextConfig Clip { get; init; }

    /// <summary>T5's encoder.</summary>
    public required T5Config T5 { get; init; }

    /// <summary>The autoencoder.</summary>
    public required VaeConfig Vae { get; init; }
}
