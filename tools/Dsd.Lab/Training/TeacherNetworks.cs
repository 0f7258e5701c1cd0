using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>The three networks that learn together: both text encoders and the transformer.</summary>
internal sealed class TeacherNetworks : IDisposable
{
    public TeacherNetworks(TinyTrainingConfig config, TinyTokens tokens, Device device)
    {
        TeacherStageConfig teacher = config.Teacher;
        Clip = NewClip(config, tokens, device);
        T5 = NewT5(config, tokens, device);
        Transformer = new FluxTransformer(
            new FluxConfig
            {
                InChannels = 4 * config.Vae.LatentChannels,
                NumLayers = teacher.DoubleLayers,
                NumSingleLayers = teacher.SingleLayers,
                AttentionHeadDim = teacher.HeadSize,
                NumAttentionHeads = teacher.Heads,
                JointAttentionDim = config.Text.T5Width,
                PooledProjectionDim = config.Text.ClipWidth,
                GuidanceEmbeds = true,
                AxesDimsRope = teacher.RopeAxes,
            },
            device,
            ModelLoading.On(device).DType,
            seed: config.Seed + 2);
        TextPositions = LatentPacking.TextIds(config.Text.T5Tokens, device).DetachFromDisposeScope();
    }

    public Device Device => TextPositions.device;

    public ClipTextModel Clip { get; }

    public T5Encoder T5 { get; }

    public FluxTransformer Transformer { get; }

    /// <summary>[text tokens, 3], all zero: text has no place in the picture.</summary>
    public Tensor TextPositions { get; }

    public IEnumerable<Parameter> Parameters() => Clip.parameters().Concat(T5.parameters()).Concat(Transformer.parameters());

    /// <summary>Text as the transformer takes it: [batch, tokens, T5 channels] and [batch, CLIP channels].</summary>
    public (Tensor Text, Tensor Pooled) Encode(Tensor t5Ids, Tensor clipIds) => (T5.forward(t5Ids), Clip.forward(clipIds).Pooled);

    public static ClipTextModel NewClip(TinyTrainingConfig config, TinyTokens tokens, Device device) => new(
        new ClipTextConfig
        {
            VocabSize = tokens.ClipVocabulary,
            HiddenSize = config.Text.ClipWidth,
            IntermediateSize = config.Text.ClipFeedForward,
            NumHiddenLayers = config.Text.ClipLayers,
            NumAttentionHeads = config.Text.ClipHeads,
            MaxPositionEmbeddings = 77,
            HiddenAct = "quick_gelu",
            LayerNormEps = 1e-5,
            EosTokenId = tokens.ClipEndOfText,
        },
        device,
        ModelLoading.On(device).DType,
        seed: config.Seed);

    public static T5Encoder NewT5(TinyTrainingConfig config, TinyTokens tokens, Device device) => new(
        new T5Config
        {
            VocabSize = tokens.T5Vocabulary,
            DModel = config.Text.T5Width,
            DKv = config.Text.T5Width / config.Text.T5Heads,
            DFf = config.Text.T5FeedForward,
            NumLayers = config.Text.T5Layers,
            NumHeads = config.Text.T5Heads,
            RelativeAttentionNumBuckets = 32,
            RelativeAttentionMaxDistance = 128,
            LayerNormEpsilon = 1e-6,
            FeedForwardProj = "gated-gelu",
        },
        device,
        ModelLoading.On(device).DType,
        seed: config.Seed + 1);

    public void Dispose()
    {
        Clip.Dispose();
        T5.Dispose();
        Transformer.Dispose();
        TextPositions.Dispose();
    }
}
