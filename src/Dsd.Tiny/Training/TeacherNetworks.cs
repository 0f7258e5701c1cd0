using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Tiny.Training;

/// <summary>The three networks that learn together: both text encoders and the transformer.</summary>
internal sealed class TeacherNetworks : IDisposable
{
    public TeacherNetworks(TinyTrainingConfig config, TinyTokens tokens, Device device)
    {
        TeacherStageConfig teacher = config.Teacher;
        TextConfig text = config.Text;
        // The optimiser keeps its own weights in 32 bits.
        ScalarType type = ModelLoading.On(device).DType;
        Clip = new ClipTextModel(
            new ClipTextConfig
            {
                VocabSize = tokens.ClipVocabulary,
                HiddenSize = text.ClipWidth,
                IntermediateSize = text.ClipFeedForward,
                NumHiddenLayers = text.ClipLayers,
                NumAttentionHeads = text.ClipHeads,
                MaxPositionEmbeddings = 77,
                HiddenAct = "quick_gelu",
                LayerNormEps = 1e-5,
                EosTokenId = tokens.ClipEndOfText,
            },
            device,
            type,
            seed: config.Seed);
        T5 = new T5Encoder(
            new T5Config
            {
                VocabSize = tokens.T5Vocabulary,
                DModel = text.T5Width,
                DKv = text.T5Width / text.T5Heads,
                DFf = text.T5FeedForward,
                NumLayers = text.T5Layers,
                NumHeads = text.T5Heads,
                RelativeAttentionNumBuckets = 32,
                RelativeAttentionMaxDistance = 128,
                LayerNormEpsilon = 1e-6,
                FeedForwardProj = "gated-gelu",
            },
            device,
            type,
            seed: config.Seed + 1);
        Transformer = new FluxTransformer(
            new FluxConfig
            {
                InChannels = 4 * config.Vae.LatentChannels,
                NumLayers = teacher.DoubleLayers,
                NumSingleLayers = teacher.SingleLayers,
                AttentionHeadDim = teacher.HeadSize,
                NumAttentionHeads = teacher.Heads,
                JointAttentionDim = text.T5Width,
                PooledProjectionDim = text.ClipWidth,
                GuidanceEmbeds = true,
                AxesDimsRope = teacher.RopeAxes,
            },
            device,
            type,
            seed: config.Seed + 2);
        TextPositions = LatentPacking.TextIds(text.T5Tokens, device).DetachFromDisposeScope();
    }

    public ClipTextModel Clip { get; }

    public T5Encoder T5 { get; }

    public FluxTransformer Transformer { get; }

    /// <summary>[text tokens, 3], all zero: text has no place in the picture.</summary>
    public Tensor TextPositions { get; }

    public IEnumerable<Parameter> Parameters() => Clip.parameters().Concat(T5.parameters()).Concat(Transformer.parameters());

    /// <summary>Text as the transformer takes it: [batch, tokens, T5 channels] and [batch, CLIP channels].</summary>
    public (Tensor Text, Tensor Pooled) Encode(Tensor t5Ids, Tensor clipIds) => (T5.forward(t5Ids), Clip.forward(clipIds).Pooled);

    public void Dispose()
    {
        Clip.Dispose();
        T5.Dispose();
        Transformer.Dispose();
        TextPositions.Dispose();
    }
}
