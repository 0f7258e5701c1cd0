using Dsd.Models.Autoencoder;
using Dsd.Models.Flux;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Export;

/// <summary>Exports of random models, in shapes that the fixtures do not have, against the same models in TorchSharp.</summary>
public sealed class AgainstTorchTests : IDisposable
{
    private const double Tolerance = 1e-4;
    private static readonly FluxConfig Flux = new()
    {
        InChannels = 8,
        NumLayers = 1,
        NumSingleLayers = 1,
        AttentionHeadDim = 12,
        NumAttentionHeads = 3,
        JointAttentionDim = 20,
        PooledProjectionDim = 10,
        AxesDimsRope = [0, 4, 8],
    };

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGrad = no_grad();

    [Theory]
    [InlineData(false, false, 1, 1, GraphTarget.Portable)]
    [InlineData(false, true, 0, 2, GraphTarget.Portable)]
    [InlineData(true, false, 2, 0, GraphTarget.Portable)]
    [InlineData(true, true, 1, 1, GraphTarget.Portable)]
    [InlineData(false, true, 0, 2, GraphTarget.Cuda)]
    [InlineData(true, false, 2, 0, GraphTarget.Cuda)]
    [InlineData(true, true, 2, 2, GraphTarget.Cuda)]
    public void Transformer(bool conditional, bool guidance, int layers, int singleLayers, GraphTarget target)
    {
        FluxConfig config = Flux with { Conditional = conditional, GuidanceEmbeds = guidance, NumLayers = layers, NumSingleLayers = singleLayers };
        using FluxModels model = Export(config, new GraphFormat(ElementType.Float32, null, target), out Tensor expected);

        TensorAssert.Close(expected, model.Run(Inputs()), Tolerance);
    }

    // Half precision rounds to 2⁻¹¹, and ONNX Runtime's processor kernels compute most of it in single precision between. The weights of 8 and 4 bits are
    // rounded to 2⁻⁸ and 2⁻⁴ of the largest of 32 neighbours; random weights have no structure that would hide it.
    [Theory]
    [InlineData(ElementType.Float16, null, GraphTarget.Portable, 2e-3)]
    [InlineData(ElementType.Float16, null, GraphTarget.Cuda, 2e-3)]
    [InlineData(ElementType.Float32, 8, GraphTarget.Portable, 4e-2)]
    [InlineData(ElementType.Float32, 8, GraphTarget.Cuda, 2e-2)]
    [InlineData(ElementType.Float32, 4, GraphTarget.Portable, 2e-1)]
    [InlineData(ElementType.Float32, 4, GraphTarget.Cuda, 2e-1)]
    public void Transformer_InLowerPrecision_IsNear(ElementType floats, int? bits, GraphTarget target, double tolerance)
    {
        FluxConfig config = Flux with { Conditional = true, GuidanceEmbeds = true, NumLayers = 2, NumSingleLayers = 2 };
        using FluxModels model = Export(config, new GraphFormat(floats, bits, target), out Tensor expected);

        Tensor found = model.Run(Inputs());

        Assert.InRange(Error(expected, found), tolerance / 1000, tolerance);
    }

    // The two round at other places, so that neither is the other's bound; what is asked is that a picture of the one is no worse than one of the other.
    [OnnxGpuFact]
    public void Transformer_OnAGpu_RoundsAtMostTwiceAsMuchAsTorchSharpThere()
    {
        FluxConfig config = Flux with
        {
            Conditional = true,
            GuidanceEmbeds = true,
            NumLayers = 2,
            NumSingleLayers = 7,
            AttentionHeadDim = 32,
            NumAttentionHeads = 6,
            AxesDimsRope = [8, 12, 12],
        };
        (ElementType Floats, ScalarType Type)[] types = [(ElementType.Float16, ScalarType.Float16), (ElementType.BFloat16, ScalarType.BFloat16)];
        List<string> errors = [];
        foreach ((ElementType floats, ScalarType type) in types)
        {
            GraphFormat format = new(floats, null, GraphTarget.Cuda);
            using FluxModels model = Export(config, format, out Tensor expected, out FluxTransformer transformer, onGpu: true);
            transformer.to(type).to(CUDA);
            double torchs = Error(expected, Forward(transformer, config, i => (i.is_floating_point() ? i.to(type) : i).to(CUDA)).to(ScalarType.Float32).cpu());
            double onnx = Error(expected, model.Run(Inputs()));
            errors.Add($"{type}: TorchSharp {torchs:0.0000}, ONNX Runtime {onnx:0.0000}");
            if (onnx > 2 * torchs)
            {
                errors.Add("more than twice as much");
            }
        }
        Assert.True(errors.Count == types.Length, string.Join("; ", errors));
    }

    [Theory]
    [InlineData(true, true, 1)]
    [InlineData(false, false, 2)]
    public void Autoencoder(bool quantConvs, bool attention, int levels)
    {
        VaeConfig config = new()
        {
            LatentChannels = 5,
            BlockOutChannels = new[] { 6, 12 }[..levels],
            LayersPerBlock = 2,
            NormNumGroups = 3,
            ScalingFactor = 1,
            UseQuantConv = quantConvs,
            UsePostQuantConv = quantConvs,
            MidBlockAddAttention = attention,
        };
        AutoencoderKL vae = new(config);
        Randomize(vae);
        Tensor image = Random(2, 3, 10, 14);
        (Tensor mean, Tensor logVariance) = vae.Encode(image);

        using OnnxModel encoder = Export(vae, weights => VaeEncoderExport.Build(config, weights), n => !n.Contains("decoder") && !n.Contains("post_quant"));
        using OnnxModel decoder = Export(
            vae,
            weights => VaeDecoderExport.Build(config, weights),
            n => !n.Contains("encoder") && !n.StartsWith("quant", StringComparison.Ordinal));

        Tensor[] moments = encoder.Run(("image", image));
        TensorAssert.Close(mean, moments[0], Tolerance);
        TensorAssert.Close(logVariance, moments[1], Tolerance);
        TensorAssert.Close(vae.Decode(mean), decoder.Run(("latent", mean))[0], Tolerance);
    }

    [Theory]
    [InlineData("gelu")]
    [InlineData("quick_gelu")]
    public void Clip(string activation)
    {
        ClipTextConfig config = new()
        {
            VocabSize = 30,
            HiddenSize = 12,
            IntermediateSize = 20,
            NumHiddenLayers = 1,
            NumAttentionHeads = 3,
            HiddenAct = activation,
            EosTokenId = 2,
        };
        ClipTextModel clip = new(config);
        Randomize(clip);
        Tensor ids = randint(0, 30, [3, 9], dtype: ScalarType.Int64);
        (Tensor last, Tensor pooled) = clip.forward(ids);

        using OnnxModel model = Export(clip, weights => ClipTextExport.Build(config, weights));

        Tensor[] outputs = model.Run(("input_ids", ids));
        TensorAssert.Close(last, outputs[0], Tolerance);
        TensorAssert.Close(pooled, outputs[1], Tolerance);
    }

    [Theory]
    [InlineData("relu", 12, 16)]
    [InlineData("gated-gelu", 32, 128)]
    public void T5(string activation, int buckets, int mostDistance)
    {
        T5Config config = new()
        {
            VocabSize = 30,
            DModel = 12,
            DKv = 5,
            DFf = 20,
            NumLayers = 2,
            NumHeads = 3,
            FeedForwardProj = activation,
            RelativeAttentionNumBuckets = buckets,
            RelativeAttentionMaxDistance = mostDistance,
        };
        T5Encoder t5 = new(config);
        Randomize(t5);
        Tensor ids = randint(0, 30, [2, 150], dtype: ScalarType.Int64);

        using OnnxModel model = Export(t5, weights => T5EncoderExport.Build(config, weights));

        TensorAssert.Close(t5.forward(ids), model.Run(("input_ids", ids))[0], Tolerance);
    }

    public void Dispose()
    {
        _noGrad.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    private static (string Name, Tensor Value)[] Inputs() =>
    [
        ("hidden_states", Random(2, 6, 8)),
        ("condition_hidden_states", Random(2, 6, 8)),
        ("encoder_hidden_states", Random(2, 5, 20)),
        ("pooled_projections", Random(2, 10)),
        ("timestep", tensor(new[] { 0.2f, 0.9f })),
        ("img_ids", arange(18, dtype: ScalarType.Float32).reshape(6, 3)),
        ("txt_ids", zeros(5, 3)),
        ("guidance", tensor(new[] { 3.5f, 1f })),
    ];

    private static double Error(Tensor expected, Tensor found) => ((found - expected).norm() / expected.norm()).item<float>();

    private static Tensor Forward(FluxTransformer transformer, FluxConfig config, Func<Tensor, Tensor> bring)
    {
        Tensor In(string name) => bring(Inputs().Single(i => i.Name == name).Value);
        return transformer.forward(
            In("hidden_states"), config.Conditional ? In("condition_hidden_states") : null, In("encoder_hidden_states"), In("pooled_projections"),
            In("timestep"), config.GuidanceEmbeds ? In("guidance") : null, In("img_ids"), In("txt_ids"));
    }

    private FluxModels Export(FluxConfig config, GraphFormat format, out Tensor expected) => Export(config, format, out expected, out _);

    private FluxModels Export(FluxConfig config, GraphFormat format, out Tensor expected, out FluxTransformer transformer, bool onGpu = false)
    {
        transformer = new FluxTransformer(config);
        Randomize(transformer);
        expected = Forward(transformer, config, i => i);
        string file = _folder.File($"{Guid.NewGuid():N}.safetensors");
        SafetensorsWriter.Write(file, transformer.state_dict(), null);
        using WeightSource source = WeightSource.Open(file);
        return new FluxModels(config, source, format, onGpu: onGpu);
    }

    private OnnxModel Export(nn.Module module, Func<CheckpointWeights, GraphBuilder> build, Func<string, bool>? belongs = null)
    {
        string file = _folder.File($"{Guid.NewGuid():N}.safetensors");
        SafetensorsWriter.Write(file, module.state_dict(), null);
        using WeightSource source = WeightSource.Open(file);
        CheckpointWeights weights = new(source);
        GraphBuilder graph = build(weights);
        weights.Check(belongs);
        return new OnnxModel(graph);
    }

    /// <summary>Every weight random, biases and norms too: what starts at zero or one would hide a mistake.</summary>
    private static void Randomize(nn.Module module)
    {
        using Generator generator = new(1234, CPU);
        foreach (TorchSharp.Modules.Parameter parameter in module.parameters())
        {
            double deviation = parameter.dim() > 1 ? Math.Sqrt(1.0 / parameter[0].numel()) : 0.3;
            parameter.copy_(randn(parameter.shape, generator: generator) * deviation);
        }
    }

    private static Tensor Random(params long[] shape)
    {
        using Generator generator = new((ulong)shape.Aggregate(17L, (a, b) => a * 31 + b), CPU);
        return randn(shape, generator: generator);
    }
}
