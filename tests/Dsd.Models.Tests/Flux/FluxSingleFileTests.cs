using Dsd.Models.Flux;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Flux;

public sealed class FluxSingleFileTests : IDisposable
{
    private static readonly FluxConfig Config = new()
    {
        InChannels = 16,
        NumLayers = 2,
        NumSingleLayers = 2,
        AttentionHeadDim = 32,
        NumAttentionHeads = 2,
        JointAttentionDim = 12,
        PooledProjectionDim = 10,
        GuidanceEmbeds = true,
        AxesDimsRope = [4, 14, 14],
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("model.diffusion_model.")]
    public void Load_OfASingleFile_PredictsWhatTheSameWeightsDoInDiffusersLayout(string prefix)
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxTransformer expected = Wild();
        Dictionary<string, Tensor> published = Published(expected, prefix);
        if (prefix.Length > 0)
        {
            published.Add("vae.decoder.conv_in.weight", zeros(3));
        }
        SafetensorsWriter.Write(File, published);
        using TensorDictionary inputs = FluxFixture.Inputs(Config);

        using WeightSource weights = WeightSource.Open(File);
        using FluxTransformer loaded = FluxCheckpoint.Load(FluxCheckpoint.ConfigOf(weights)!, weights);

        using Tensor own = FluxFixture.Run(expected, inputs);
        using Tensor found = FluxFixture.Run(loaded, inputs);
        TensorAssert.Equal(own, found);
    }

    [Fact]
    public void ABlockOfAnImpossibleNumber_IsListedAsUnexpected()
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxTransformer transformer = Wild();
        Dictionary<string, Tensor> published = Published(transformer, "");
        string strange = $"double_blocks.{int.MaxValue}.img_attn.qkv.weight";
        published.Add(strange, zeros(3));
        SafetensorsWriter.Write(File, published);

        using WeightSource weights = WeightSource.Open(File);
        FluxConfig config = FluxCheckpoint.ConfigOf(weights)!;
        Assert.Equal(Config.NumLayers, config.NumLayers);
        WeightsException e = Assert.Throws<WeightsException>(() => FluxCheckpoint.Load(config, weights));
        Assert.Contains($"Unexpected: {strange}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ConfigOf_ReadsTheShapes_AndIsNoneForDiffusersNames()
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxTransformer transformer = Wild();
        SafetensorsWriter.Write(File, Published(transformer, ""));
        SafetensorsWriter.Write(_folder.File("diffusers.safetensors"), transformer.state_dict());

        using WeightSource weights = WeightSource.Open(File);
        FluxConfig config = FluxCheckpoint.ConfigOf(weights)!;
        using WeightSource others = WeightSource.Open(_folder.File("diffusers.safetensors"));

        Assert.Equal(Config.AxesDimsRope, config.AxesDimsRope);
        Assert.Equal(Config, config with { AxesDimsRope = Config.AxesDimsRope });
        Assert.Null(FluxCheckpoint.ConfigOf(others));
    }

    [Fact]
    public void Load_WithASilentCondition_PredictsAsWithoutOne()
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxTransformer plain = Wild();
        SafetensorsWriter.Write(File, Published(plain, ""));
        using WeightSource weights = WeightSource.Open(File);
        using FluxTransformer conditional = FluxCheckpoint.Load(Config with { Conditional = true }, weights);
        using TensorDictionary inputs = FluxFixture.Inputs(Config with { Conditional = true });

        using Tensor with = FluxFixture.Run(conditional, inputs);
        inputs.Remove("condition_hidden_states", out Tensor? condition);
        condition!.Dispose();
        using Tensor without = FluxFixture.Run(plain, inputs);

        TensorAssert.Equal(without, with);
    }

    [Fact]
    public void Load_OfDamagedWeights_NamesAllFaultsAtOnce()
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxTransformer transformer = Wild();
        Dictionary<string, Tensor> published = Published(transformer, "");
        published.Remove("txt_in.bias");
        published["double_blocks.1.txt_attn.qkv.bias"] = zeros(5);
        published["single_blocks.0.linear1.bias"] = zeros(7, 64);
        published.Add("surprise", zeros(1));
        SafetensorsWriter.Write(File, published);

        using WeightSource weights = WeightSource.Open(File);
        string message = Assert.Throws<WeightsException>(() => FluxCheckpoint.Load(Config, weights)).Message;

        Assert.All(
            ["context_embedder.bias", "double_blocks.1.txt_attn.qkv.bias", "single_blocks.0.linear1.bias", "surprise"],
            name => Assert.Contains(name, message, StringComparison.Ordinal));
    }

    private string File => _folder.File("flux1-tiny.safetensors");

    private static FluxTransformer Wild()
    {
        FluxTransformer transformer = new(Config);
        using IDisposable noGrad = no_grad();
        using Generator random = new(1);
        foreach (Tensor parameter in transformer.parameters())
        {
            using Tensor drawn = randn(parameter.shape, generator: random);
            parameter.copy_(drawn * 0.2);
        }
        return transformer;
    }

    /// <summary>A transformer's weights under the published names, written down here a second time.</summary>
    private static Dictionary<string, Tensor> Published(FluxTransformer transformer, string prefix)
    {
        Dictionary<string, Tensor> own = transformer.state_dict();
        Dictionary<string, Tensor> published = [];
        void Linear(string name, params string[] modules)
        {
            foreach (string part in new[] { "weight", "bias" })
            {
                published.Add($"{prefix}{name}.{part}", cat([.. modules.Select(m => own[$"{m}.{part}"])]));
            }
        }
        void Scale(string name, string module) => published.Add($"{prefix}{name}.scale", own[$"{module}.weight"]);
        Linear("img_in", "x_embedder");
        Linear("txt_in", "context_embedder");
        (string Name, string Module)[] embedders =
            [("time_in", "timestep_embedder"), ("guidance_in", "guidance_embedder"), ("vector_in", "text_embedder")];
        foreach ((string name, string module) in embedders)
        {
            Linear($"{name}.in_layer", $"time_text_embed.{module}.linear_1");
            Linear($"{name}.out_layer", $"time_text_embed.{module}.linear_2");
        }
        for (int i = 0; i < Config.NumLayers; i++)
        {
            (string to, string from) = ($"double_blocks.{i}", $"transformer_blocks.{i}");
            Linear($"{to}.img_mod.lin", $"{from}.norm1.linear");
            Linear($"{to}.txt_mod.lin", $"{from}.norm1_context.linear");
            Linear($"{to}.img_attn.qkv", $"{from}.attn.to_q", $"{from}.attn.to_k", $"{from}.attn.to_v");
            Linear($"{to}.txt_attn.qkv", $"{from}.attn.add_q_proj", $"{from}.attn.add_k_proj", $"{from}.attn.add_v_proj");
            Linear($"{to}.img_attn.proj", $"{from}.attn.to_out.0");
            Linear($"{to}.txt_attn.proj", $"{from}.attn.to_add_out");
            Scale($"{to}.img_attn.norm.query_norm", $"{from}.attn.norm_q");
            Scale($"{to}.img_attn.norm.key_norm", $"{from}.attn.norm_k");
            Scale($"{to}.txt_attn.norm.query_norm", $"{from}.attn.norm_added_q");
            Scale($"{to}.txt_attn.norm.key_norm", $"{from}.attn.norm_added_k");
            Linear($"{to}.img_mlp.0", $"{from}.ff.net.0.proj");
            Linear($"{to}.img_mlp.2", $"{from}.ff.net.2");
            Linear($"{to}.txt_mlp.0", $"{from}.ff_context.net.0.proj");
            Linear($"{to}.txt_mlp.2", $"{from}.ff_context.net.2");
        }
        for (int i = 0; i < Config.NumSingleLayers; i++)
        {
            (string to, string from) = ($"single_blocks.{i}", $"single_transformer_blocks.{i}");
            Linear($"{to}.linear1", $"{from}.attn.to_q", $"{from}.attn.to_k", $"{from}.attn.to_v", $"{from}.proj_mlp");
            Linear($"{to}.linear2", $"{from}.proj_out");
            Linear($"{to}.modulation.lin", $"{from}.norm.linear");
            Scale($"{to}.norm.query_norm", $"{from}.attn.norm_q");
            Scale($"{to}.norm.key_norm", $"{from}.attn.norm_k");
        }
        Linear("final_layer.linear", "proj_out");
        foreach (string part in new[] { "weight", "bias" })
        {
            Tensor[] scaleAndShift = own[$"norm_out.linear.{part}"].chunk(2);
            published.Add($"{prefix}final_layer.adaLN_modulation.1.{part}", cat([scaleAndShift[1], scaleAndShift[0]]));
        }
        return published;
    }
}
