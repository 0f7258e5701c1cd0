using Dsd.Models.Flux;
using Dsd.Models.Weights;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Flux;

/// <summary>The fixtures' transformers, their inputs, and tiny ones made here.</summary>
internal static class FluxFixture
{
    public static FluxConfig Tiny { get; } = new()
    {
        InChannels = 16,
        NumLayers = 1,
        NumSingleLayers = 2,
        AttentionHeadDim = 8,
        NumAttentionHeads = 2,
        JointAttentionDim = 12,
        PooledProjectionDim = 10,
        GuidanceEmbeds = true,
        AxesDimsRope = [2, 4, 2],
    };

    public static FluxTransformer Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        FluxConfig config = ModelFolder.OpenParts(Fixtures.Path(folder)).ReadConfig<FluxConfig>("transformer");
        using WeightSource weights = WeightSource.Open(Fixtures.Path(folder, "transformer"));
        return FluxCheckpoint.Load(config, weights, device, dtype);
    }

    /// <summary>A forward pass over the inputs of a fixture file.</summary>
    public static Tensor Run(FluxTransformer transformer, TensorDictionary inputs)
    {
        using IDisposable noGrad = no_grad();
        return transformer.forward(
            inputs["hidden_states"],
            inputs.GetValueOrDefault("condition_hidden_states"),
            inputs["encoder_hidden_states"],
            inputs["pooled_projections"],
            inputs["timestep"],
            transformer.Config.GuidanceEmbeds ? inputs["guidance"] : null,
            inputs["img_ids"],
            inputs["txt_ids"]);
    }

    /// <summary>Random inputs, always the same, for a transformer of the given shape.</summary>
    public static TensorDictionary Inputs(FluxConfig config, int batch = 2, int image = 6, int text = 3)
    {
        using Generator generator = new(7, CPU);
        Tensor Random(params long[] shape) => randn(shape, generator: generator);
        using Tensor steps = arange(image, dtype: ScalarType.Float32);
        using Tensor none = zeros(image);
        TensorDictionary inputs = new()
        {
            ["hidden_states"] = Random(batch, image, config.InChannels),
            ["encoder_hidden_states"] = Random(batch, text, config.JointAttentionDim),
            ["pooled_projections"] = Random(batch, config.PooledProjectionDim),
            ["timestep"] = linspace(0.3, 0.9, batch),
            ["guidance"] = full(batch, 3.5f),
            ["img_ids"] = stack([none, none, steps], dim: 1),
            ["txt_ids"] = zeros(text, 3),
        };
        if (config.Conditional)
        {
            inputs["condition_hidden_states"] = Random(batch, image, config.InChannels);
        }
        return inputs;
    }
}
