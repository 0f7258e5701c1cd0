using Dsd.Models.Flux;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Flux;

public class FluxTransformerTests
{
    [Fact]
    [Trait("Category", "Parity")]
    public void Forward_PredictsWhatTheReferencePredicts()
    {
        using FluxTransformer transformer = FluxFixture.Load("tiny-flux");
        using TensorDictionary io = Fixtures.Tensors("transformer.safetensors");
        using Tensor sample = FluxFixture.Run(transformer, io);
        TensorAssert.Close(io["sample"], sample);
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void Forward_WithACondition_PredictsWhatThePublishedModelPredicts()
    {
        using FluxTransformer transformer = FluxFixture.Load("tiny-dsd");
        using TensorDictionary io = Fixtures.Tensors("dsd_transformer.safetensors");
        using Tensor sample = FluxFixture.Run(transformer, io);
        TensorAssert.Close(io["sample"], sample);
    }

    [Fact]
    public void Load_CastsToTheTypeAskedFor()
    {
        using FluxTransformer transformer = FluxFixture.Load("tiny-flux", dtype: ScalarType.BFloat16);
        Assert.All(transformer.parameters(), p => Assert.Equal(ScalarType.BFloat16, p.dtype));
    }

    [Theory]
    [InlineData("tiny-flux")]
    [InlineData("tiny-dsd")]
    public void ParameterNames_AreTheCheckpointsKeys(string folder)
    {
        using FluxTransformer transformer = FluxFixture.Load(folder);
        using WeightSource weights = WeightSource.Open(Fixtures.Path(folder, "transformer"));
        Assert.Equal(weights.Names.Order(), transformer.state_dict().Keys.Order());
    }

    [Fact]
    public void Forward_WithoutGuidanceEmbedding_TakesNoGuidance()
    {
        FluxConfig config = FluxFixture.Tiny with { GuidanceEmbeds = false };
        using FluxTransformer transformer = new(config);
        using TensorDictionary inputs = FluxFixture.Inputs(config);
        using Tensor sample = FluxFixture.Run(transformer, inputs);
        Assert.Equal([2, 6, 16], sample.shape);
    }

    [Fact]
    public void Forward_RefusesAConditionThatItCannotTake()
    {
        using FluxTransformer transformer = new(FluxFixture.Tiny);
        using TensorDictionary inputs = FluxFixture.Inputs(FluxFixture.Tiny with { Conditional = true });
        ArgumentException e = Assert.Throws<ArgumentException>(() => FluxFixture.Run(transformer, inputs));
        Assert.Contains("no c_embedder", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_RefusesToGoWithoutItsCondition()
    {
        using FluxTransformer transformer = new(FluxFixture.Tiny with { Conditional = true });
        using TensorDictionary inputs = FluxFixture.Inputs(FluxFixture.Tiny);
        ArgumentException e = Assert.Throws<ArgumentException>(() => FluxFixture.Run(transformer, inputs));
        Assert.Contains("condition is needed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_NamesTheInputWhoseShapeDoesNotFit()
    {
        using FluxTransformer transformer = new(FluxFixture.Tiny);
        using TensorDictionary inputs = FluxFixture.Inputs(FluxFixture.Tiny with { JointAttentionDim = 13 });
        ArgumentException e = Assert.Throws<ArgumentException>(() => FluxFixture.Run(transformer, inputs));
        Assert.Contains("Input text must have shape [2, 3, 12], but has [2, 3, 13]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_LeavesNoTensorBehind()
    {
        using FluxTransformer transformer = new(FluxFixture.Tiny);
        using TensorDictionary inputs = FluxFixture.Inputs(FluxFixture.Tiny);
        FluxFixture.Run(transformer, inputs).Dispose();
        using DisposeScope scope = NewDisposeScope();
        FluxFixture.Run(transformer, inputs).Dispose();
        Assert.Equal(0, scope.DisposablesCount);
    }

    [Fact]
    public void Gradients_ReachEveryWeight()
    {
        FluxConfig config = FluxFixture.Tiny with { Conditional = true };
        using FluxTransformer transformer = new(config);
        using TensorDictionary inputs = FluxFixture.Inputs(config);
        using (no_grad())
        using (DisposeScope scope = NewDisposeScope())
        {
            // At its start nothing but the last layer learns: leave it.
            foreach ((_, TorchSharp.Modules.Parameter parameter) in transformer.named_parameters())
            {
                parameter.add_(0.1 * randn_like(parameter));
            }
        }
        using Tensor sample = transformer.forward(
            inputs["hidden_states"], inputs["condition_hidden_states"], inputs["encoder_hidden_states"], inputs["pooled_projections"],
            inputs["timestep"], inputs["guidance"], inputs["img_ids"], inputs["txt_ids"]);
        sample.square().sum().backward();
        string[] dead = [.. transformer.named_parameters().Where(p => p.parameter.grad is not { } g || g.abs().sum().item<float>() == 0).Select(p => p.name)];
        Assert.Empty(dead);
    }

    [Fact]
    public void RandomWeights_AreTheSameForTheSameSeed()
    {
        using FluxTransformer first = new(FluxFixture.Tiny, seed: 3);
        using FluxTransformer second = new(FluxFixture.Tiny, seed: 3);
        foreach ((TorchSharp.Modules.Parameter a, TorchSharp.Modules.Parameter b) in first.parameters().Zip(second.parameters()))
        {
            TensorAssert.Equal(a, b);
        }
    }

    [Fact]
    public void RandomWeights_GiveTheConditionNoVoiceAtFirst()
    {
        FluxConfig config = FluxFixture.Tiny with { Conditional = true };
        using FluxTransformer transformer = new(config);
        Assert.Equal(0f, transformer.state_dict()["c_embedder.weight"].abs().sum().item<float>());
    }

    [Fact]
    public void Load_AddsASilentConditionToPlainWeights()
    {
        FluxConfig config = ModelFolder.OpenParts(Fixtures.Path("tiny-flux")).ReadConfig<FluxConfig>("transformer") with { Conditional = true };
        using WeightSource weights = WeightSource.Open(Fixtures.Path("tiny-flux", "transformer"));
        using FluxTransformer transformer = FluxCheckpoint.Load(config, weights);
        using TensorDictionary io = Fixtures.Tensors("transformer.safetensors");
        io["condition_hidden_states"] = io["hidden_states"].clone();
        using Tensor sample = FluxFixture.Run(transformer, io);
        TensorAssert.Close(io["sample"], sample);
    }

    [Fact]
    public void Load_ReadsACheckpointThatWasSavedWithAdaptersInPlace()
    {
        using FluxTransformer saved = new(FluxFixture.Tiny, seed: 4);
        Dictionary<string, Tensor> tensors = saved.state_dict();
        tensors.Remove("proj_out.weight", out Tensor? weight);
        tensors.Add("proj_out.base_layer.weight", weight!);
        tensors.Add("proj_out.lora_A.weight", ones(1, 16));
        string file = Path.GetTempFileName();
        try
        {
            SafetensorsWriter.Write(file, tensors);
            using WeightSource weights = WeightSource.Open(file);
            using FluxTransformer read = FluxCheckpoint.Load(FluxFixture.Tiny, weights);
            TensorAssert.Equal(saved.state_dict()["x_embedder.weight"], read.state_dict()["x_embedder.weight"]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Load_ListsWhatIsMissing()
    {
        using FluxTransformer saved = new(FluxFixture.Tiny);
        Dictionary<string, Tensor> tensors = saved.state_dict();
        tensors.Remove("proj_out.bias");
        string file = Path.GetTempFileName();
        try
        {
            SafetensorsWriter.Write(file, tensors);
            using WeightSource weights = WeightSource.Open(file);
            WeightsException e = Assert.Throws<WeightsException>(() => FluxCheckpoint.Load(FluxFixture.Tiny, weights));
            Assert.Contains("Missing: proj_out.bias [16]", e.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Load_RefusesAConfigOfMoreBlocksThanTheFileHas_BeforeTakingMemoryForThem()
    {
        FluxConfig config = ModelFolder.OpenParts(Fixtures.Path("tiny-flux")).ReadConfig<FluxConfig>("transformer");
        using WeightSource weights = WeightSource.Open(Fixtures.Path("tiny-flux", "transformer"));
        WeightsException e = Assert.Throws<WeightsException>(() => FluxCheckpoint.Load(config with { NumSingleLayers = 1000 }, weights));
        Assert.Contains("single_transformer_blocks.999", e.Message, StringComparison.Ordinal);
    }
}
