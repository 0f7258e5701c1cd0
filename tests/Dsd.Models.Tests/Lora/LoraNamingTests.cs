using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Lora;

public sealed class LoraNamingTests : IDisposable
{
    private const int Width = 4;
    private const int Rank = 2;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(
        "lora_unet_double_blocks_3_img_attn_qkv.lora_down.weight",
        "lora_unet_double_blocks_3_img_attn_qkv.lora_up.weight",
        "lora_unet_double_blocks_3_img_attn_qkv.alpha")]
    [InlineData(
        "diffusion_model.double_blocks.3.img_attn.qkv.lora_A.weight",
        "diffusion_model.double_blocks.3.img_attn.qkv.lora_B.weight",
        "diffusion_model.double_blocks.3.img_attn.qkv.alpha")]
    [InlineData(
        "base_model.model.double_blocks.3.img_attn.qkv.lora_A.weight",
        "base_model.model.double_blocks.3.img_attn.qkv.lora_B.weight",
        "base_model.model.double_blocks.3.img_attn.qkv.alpha")]
    [InlineData("double_blocks.3.img_attn.qkv.lora_A.weight", "double_blocks.3.img_attn.qkv.lora_B.weight", "double_blocks.3.img_attn.qkv.alpha")]
    public void Load_DividesAFusedLayerAmongDiffusersLayers(string a, string b, string alpha)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor down, Tensor up) = (randn(Rank, Width), randn(3 * Width, Rank));
        Write((a, down), (b, up), (alpha, tensor(6f)));

        using LoraAdapter adapter = LoraAdapter.Load(File);

        string[] modules = ["transformer_blocks.3.attn.to_k", "transformer_blocks.3.attn.to_q", "transformer_blocks.3.attn.to_v"];
        Assert.Equal(modules, adapter.Factors.Keys);
        foreach ((string module, int place) in modules.Zip(new[] { 1, 0, 2 }))
        {
            Tensor delta = zeros(Width, Width);
            adapter.Factors[module].AddTo(delta);
            Assert.True(delta.allclose(6f / Rank * up.narrow(0, place * Width, Width).mm(down), atol: 1e-6), module);
        }
    }

    [Fact]
    public void Load_DividesASingleBlocksFirstLayer_AndLeavesItsSecondWhole()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor up = randn(7 * Width, Rank);
        Write(
            ("lora_unet_single_blocks_12_linear1.lora_down.weight", randn(Rank, Width)), ("lora_unet_single_blocks_12_linear1.lora_up.weight", up),
            ("lora_unet_single_blocks_12_linear2.lora_down.weight", randn(Rank, 5 * Width)),
            ("lora_unet_single_blocks_12_linear2.lora_up.weight", randn(Width, Rank)));

        using LoraAdapter adapter = LoraAdapter.Load(File);

        Assert.Equal(
            ["attn.to_k", "attn.to_q", "attn.to_v", "proj_mlp", "proj_out"],
            adapter.Factors.Keys.Select(k => k.Replace("single_transformer_blocks.12.", "", StringComparison.Ordinal)));
        Assert.True(adapter.Factors["single_transformer_blocks.12.proj_mlp"].B.allclose(up.narrow(0, 3 * Width, 4 * Width)));
        Assert.All(adapter.Factors.Values, f => Assert.Equal(1, f.Scale));
    }

    [Fact]
    public void Load_SwapsTheHalvesOfTheLastModulation()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor up = randn(2 * Width, Rank);
        Write(
            ("lora_unet_final_layer_adaLN_modulation_1.lora_down.weight", randn(Rank, Width)), ("lora_unet_final_layer_adaLN_modulation_1.lora_up.weight", up));

        using LoraAdapter adapter = LoraAdapter.Load(File);

        Assert.True(adapter.Factors["norm_out.linear"].B.allclose(cat([up.narrow(0, Width, Width), up.narrow(0, 0, Width)])));
    }

    /// <summary>
    /// ComfyUI maps <c>diffusion_model.MODULE.lora_A.weight</c>, <c>.lora_B.weight</c> and <c>.alpha</c> to the module of that name, and adds
    /// alpha / rows of A · B · A to its weights: comfy/lora.py (<c>model_lora_keys_unet</c>, <c>load_lora</c>) at commit 17358c8, and
    /// comfy/weight_adapter/lora.py at commit 0323d87 of Comfy-Org/ComfyUI. Here the same sum is made by hand.
    /// </summary>
    [Fact]
    public void Save_WithComfyUIsNames_AddsToItsLayersWhatTheAdapterAddsToOurs()
    {
        using DisposeScope scope = NewDisposeScope();
        LoraFactors Factors(int rank, int outputs, float alpha) => new(
            randn(rank, Width).DetachFromDisposeScope(), randn(outputs, rank).DetachFromDisposeScope(), alpha);
        Dictionary<string, LoraFactors> factors = new()
        {
            ["transformer_blocks.11.attn.to_q"] = Factors(2, Width, 2),
            ["transformer_blocks.11.attn.to_k"] = Factors(3, Width, 6),
            ["transformer_blocks.11.attn.to_v"] = Factors(2, Width, 1),
            ["transformer_blocks.11.ff_context.net.2"] = Factors(2, Width, 4),
            // Of a layer that holds four, two.
            ["single_transformer_blocks.0.attn.to_k"] = Factors(2, Width, 2),
            ["single_transformer_blocks.0.proj_mlp"] = Factors(2, 4 * Width, 5),
            ["single_transformer_blocks.0.proj_out"] = Factors(2, Width, 2),
            ["norm_out.linear"] = Factors(2, 2 * Width, 2),
            ["proj_out"] = Factors(2, Width, 2),
            ["c_embedder"] = Factors(2, Width, 2),
        };
        using LoraAdapter adapter = new("a test", factors);

        adapter.Save(File, names: LoraNames.ComfyUI);

        using SafetensorsFile file = SafetensorsFile.Open(File);
        Tensor Added(string module)
        {
            (Tensor up, Tensor down) = (file.Read($"diffusion_model.{module}.lora_B.weight"), file.Read($"diffusion_model.{module}.lora_A.weight"));
            return file.Read($"diffusion_model.{module}.alpha").item<float>() / down.shape[0] * up.mm(down);
        }
        Tensor Own(string module, int outputs = Width)
        {
            Tensor delta = zeros(outputs, Width);
            factors.GetValueOrDefault(module)?.AddTo(delta);
            return delta;
        }
        string[] q = ["to_q", "to_k", "to_v"];
        (string Module, Tensor Expected)[] expected =
        [
            ("double_blocks.11.img_attn.qkv", cat([.. q.Select(n => Own($"transformer_blocks.11.attn.{n}"))])),
            ("double_blocks.11.txt_mlp.2", Own("transformer_blocks.11.ff_context.net.2")),
            ("single_blocks.0.linear1", cat([
                .. q.Select(n => Own($"single_transformer_blocks.0.attn.{n}")), Own("single_transformer_blocks.0.proj_mlp", 4 * Width)])),
            ("single_blocks.0.linear2", Own("single_transformer_blocks.0.proj_out")),
            ("final_layer.linear", Own("proj_out")),
            ("final_layer.adaLN_modulation.1", cat([.. Own("norm_out.linear", 2 * Width).chunk(2).Reverse()])),
            ("c_embedder", Own("c_embedder")),
        ];
        Assert.Equal(3 * expected.Length, file.Entries.Count);
        Assert.All(expected, e => Assert.True(Added(e.Module).allclose(e.Expected, atol: 1e-5), e.Module));
        // And read again it is the same, with zeros where a layer had none.
        using LoraAdapter read = LoraAdapter.Load(File);
        Assert.Equal(factors.Count + 2, read.Factors.Count);
        foreach ((string module, LoraFactors own) in read.Factors)
        {
            int outputs = (int)own.B.shape[0];
            Tensor delta = zeros(outputs, Width);
            own.AddTo(delta);
            Assert.True(delta.allclose(Own(module, outputs), atol: 1e-5), module);
        }
        // Layers that share a first factor, as those that were parted do, grow no more.
        string second = _folder.File("again.safetensors");
        read.Save(second, names: LoraNames.ComfyUI);
        Assert.Equal(System.IO.File.ReadAllBytes(File), System.IO.File.ReadAllBytes(second));
    }

    [Fact]
    public void Save_WithComfyUIsNames_OfLayersThatItDoesNotHave_IsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        LoraFactors pair = new(randn(Rank, Width).DetachFromDisposeScope(), randn(Width, Rank).DetachFromDisposeScope(), Rank);
        using LoraAdapter adapter = new("a test", new Dictionary<string, LoraFactors> { ["blocks.0.linear"] = pair });

        Assert.Contains(
            "blocks.0.linear", Assert.Throws<NotSupportedException>(() => adapter.Save(File, names: LoraNames.ComfyUI)).Message, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(File));
    }

    [Theory]
    [InlineData("lora_transformer_transformer_blocks_0_attn_to_out_0", "transformer_blocks.0.attn.to_out.0")]
    [InlineData("lora_transformer_single_transformer_blocks_7_proj_mlp", "single_transformer_blocks.7.proj_mlp")]
    [InlineData("lora_unet_txt_in", "context_embedder")]
    [InlineData("lora_unet_double_blocks_0_txt_mlp_2", "transformer_blocks.0.ff_context.net.2")]
    [InlineData("lora_unet_guidance_in_out_layer", "time_text_embed.guidance_embedder.linear_2")]
    public void Load_KnowsUnderscoredNames(string published, string module)
    {
        using DisposeScope scope = NewDisposeScope();
        Write((published + ".lora_down.weight", randn(Rank, Width)), (published + ".lora_up.weight", randn(Width, Rank)));

        using LoraAdapter adapter = LoraAdapter.Load(File);

        Assert.Equal([module], adapter.Factors.Keys);
    }

    [Fact]
    public void Load_OfPeftsFolder_TakesAlphaFromItsConfig()
    {
        using DisposeScope scope = NewDisposeScope();
        string file = _folder.File("adapter_model.safetensors");
        Dictionary<string, Tensor> factors = new()
        {
            ["base_model.model.proj_out.lora_A.weight"] = randn(Rank, Width),
            ["base_model.model.proj_out.lora_B.weight"] = randn(Width, Rank),
        };
        SafetensorsWriter.Write(file, factors, metadata: null);
        System.IO.File.WriteAllText(
            _folder.File("adapter_config.json"),
            """{ "peft_type": "LORA", "r": 2, "lora_alpha": 8, "rank_pattern": {}, "alpha_pattern": {} }""");

        using LoraAdapter adapter = LoraAdapter.Load(file);

        Assert.Equal(8, adapter.Factors["proj_out"].Alpha);
    }

    [Fact]
    public void Load_OfKeysThatNoLayoutExplains_NamesThem()
    {
        using DisposeScope scope = NewDisposeScope();
        Write(
            ("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", randn(Rank, Width)),
            ("lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight", randn(3 * Width, Rank)),
            ("lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha", tensor(1f)));
        Assert.Contains(
            "lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha",
            Assert.Throws<WeightsException>(() => LoraAdapter.Load(File)).Message,
            StringComparison.Ordinal);

        Write(
            ("lora_unet_input_blocks_1_proj_in.lora_down.weight", randn(Rank, Width)), ("lora_unet_input_blocks_1_proj_in.lora_up.weight", randn(Width, Rank)));
        Assert.Contains("lora_unet_input_blocks_1_proj_in", Assert.Throws<WeightsException>(() => LoraAdapter.Load(File)).Message, StringComparison.Ordinal);

        Write(("double_blocks.0.img_attn.qkv.lora_A.weight", randn(Rank, Width)), ("double_blocks.0.img_attn.qkv.lora_B.weight", randn(Width, Rank)));
        Assert.Contains("to_q", Assert.Throws<SafetensorsException>(() => LoraAdapter.Load(File)).Message, StringComparison.Ordinal);

        Write(
            ("transformer.proj_out.lora_A.weight", randn(Rank, Width)),
            ("transformer.proj_out.lora_B.weight", randn(Width, Rank)),
            ("transformer.proj_out.lora_down.weight", randn(Rank, Width)));
        Assert.Contains("lora_down", Assert.Throws<WeightsException>(() => LoraAdapter.Load(File)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfALayerThatTwoNamesMean_IsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        Write(
            ("proj_out.lora_A.weight", randn(Rank, Width)), ("proj_out.lora_B.weight", randn(Width, Rank)),
            ("final_layer.linear.lora_A.weight", randn(Rank, Width)), ("final_layer.linear.lora_B.weight", randn(Width, Rank)));

        Assert.Contains("proj_out", Assert.Throws<WeightsException>(() => LoraAdapter.Load(File)).Message, StringComparison.Ordinal);
    }

    private string File => _folder.File("adapter.safetensors");

    [Fact]
    public void Load_TellsEveryKindOfFaultAtOnce()
    {
        using DisposeScope scope = NewDisposeScope();
        Write(
            ("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", randn(Rank, Width)),
            ("lora_unet_input_blocks_1_proj_in.lora_down.weight", randn(Rank, Width)), ("lora_unet_input_blocks_1_proj_in.lora_up.weight", randn(Width, Rank)),
            ("lora_unet_double_blocks_0_img_mod_lin.dora_scale", randn(Width)),
            ("lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha", tensor(1f)));

        string message = Assert.Throws<WeightsException>(() => LoraAdapter.Load(File)).Message;

        Assert.All(
            [
                "1 for text encoders", ": lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha",
                "1 of another kind of adapter or layout: lora_unet_double_blocks_0_img_mod_lin.dora_scale",
                "1 tensors without a partner: lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", "1 others: lora_unet_input_blocks_1_proj_in",
            ],
            (string part) => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    private void Write(params (string Name, Tensor Tensor)[] tensors) =>
        SafetensorsWriter.Write(File, tensors.ToDictionary(t => t.Name, t => t.Tensor), metadata: null);
}
