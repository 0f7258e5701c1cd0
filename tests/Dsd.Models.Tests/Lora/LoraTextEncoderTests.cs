using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Lora;

/// <summary>Adapters with a part for text encoders: refused, or taken in part by choice.</summary>
public sealed class LoraTextEncoderTests : IDisposable
{
    private const string Layer = "encoder.layers.0.self_attn.q_proj";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string File => _folder.File("adapter.safetensors");

    // kohya-ss, OneTrainer (T5 as te2), ComfyUI, diffusers with PEFT's names and its own older ones, and PEFT's adapter of transformers 5's CLIP.
    public static TheoryData<string, string, string> Names => new()
    {
        { "lora_te1_text_model_encoder_layers_0_self_attn_q_proj", "lora_down", "lora_up" },
        { "lora_te_text_model_encoder_layers_0_self_attn_q_proj", "lora_down", "lora_up" },
        { "text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.q_proj", "lora_A", "lora_B" },
        { "clip_l.text_model.encoder.layers.0.self_attn.q_proj", "lora_down", "lora_up" },
        { "text_encoder.text_model.encoder.layers.0.self_attn.q_proj", "lora_A", "lora_B" },
        { "text_encoder.text_model.encoder.layers.0.self_attn.q_proj", "lora_linear_layer.down", "lora_linear_layer.up" },
        { "text_encoder.encoder.layers.0.self_attn.q_proj", "lora_A", "lora_B" },
        { "text_model.encoder.layers.0.self_attn.q_proj", "lora_A", "lora_B" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_IsRefusedUnlessAPartIsChosen(string module, string a, string b)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor down = randn(4, 24);
        Write((Transformer(module), down, randn(32, 4), null), (module, down, randn(24, 4), (a, b)));

        string message = Assert.Throws<WeightsException>(() => LoraAdapter.Load(File)).Message;
        Assert.All(["2 for text encoders", module, "--lora-text"], part => Assert.Contains(part, message, StringComparison.Ordinal));

        using (LoraAdapter alone = LoraAdapter.Load(File, LoraTextEncoders.LeaveOut))
        {
            Assert.Equal(["transformer_blocks.0.attn.to_out.0"], alone.Factors.Keys);
            Assert.Empty(alone.ClipFactors);
            Assert.Contains("2 tensors for text encoders were left out", Assert.Single(alone.Remarks), StringComparison.Ordinal);
        }
        using LoraAdapter both = LoraAdapter.Load(File, LoraTextEncoders.Apply);
        Assert.Equal([Layer], both.ClipFactors.Keys);
        TensorAssert.Equal(down, both.ClipFactors[Layer].A);
        Assert.Empty(both.Remarks);
    }

    [Theory]
    [InlineData("lora_te3_encoder_block_0_layer_0_SelfAttention_q", "lora_down", "lora_up")]
    [InlineData("lora_te2_encoder_block_0_layer_0_SelfAttention_q", "lora_down", "lora_up")]
    [InlineData("text_encoder_2.encoder.block.0.layer.0.SelfAttention.q", "lora_A", "lora_B")]
    [InlineData("text_encoders.t5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q", "lora_A", "lora_B")]
    public void Load_OfAPartForT5_LeavesItOutAndSaysSo(string module, string a, string b)
    {
        using DisposeScope scope = NewDisposeScope();
        Write((Transformer(module), randn(4, 24), randn(32, 4), null), (module, randn(4, 24), randn(24, 4), (a, b)));

        Assert.Throws<WeightsException>(() => LoraAdapter.Load(File));
        using LoraAdapter adapter = LoraAdapter.Load(File, LoraTextEncoders.Apply);

        Assert.Empty(adapter.ClipFactors);
        Assert.Contains("2 tensors for T5", Assert.Single(adapter.Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfWhatClipCannotTake_IsRefusedByApplyAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        Write(("transformer.proj_out", randn(4, 24), randn(32, 4), null), ("text_encoder.text_projection", randn(4, 24), randn(24, 4), null));

        Assert.Contains(
            "text_encoder.text_projection",
            Assert.Throws<WeightsException>(() => LoraAdapter.Load(File, LoraTextEncoders.Apply)).Message,
            StringComparison.Ordinal);
        LoraAdapter.Load(File, LoraTextEncoders.LeaveOut).Dispose();
    }

    [Fact]
    public void Load_OfTextEncodersAlone_HasNothingForTheTransformer()
    {
        using DisposeScope scope = NewDisposeScope();
        Write(($"text_encoder.{Layer}", randn(4, 24), randn(24, 4), null));

        Assert.Throws<WeightsException>(() => LoraAdapter.Load(File));
        Assert.Contains(
            "text encoders alone",
            Assert.Throws<WeightsException>(() => LoraAdapter.Load(File, LoraTextEncoders.LeaveOut)).Message,
            StringComparison.Ordinal);
        LoraAdapter.Load(File, LoraTextEncoders.Apply).Dispose();
    }

    [Fact]
    public void Load_ReadsClipsOwnMetadata_AndSaveKeepsIt()
    {
        using DisposeScope scope = NewDisposeScope();
        Write(
            """{ "transformer.r": 4, "transformer.lora_alpha": 8, "text_encoder.r": 4, "text_encoder.lora_alpha": 4,"""
                + """ "text_encoder.alpha_pattern": { "q_proj": 2 } }""",
            ("transformer.proj_out", randn(4, 24), randn(32, 4), null), ($"text_encoder.text_model.{Layer}", randn(4, 24), randn(24, 4), null),
            ("text_encoder.text_model.encoder.layers.1.mlp.fc1", randn(4, 24), randn(48, 4), null));
        using (LoraAdapter adapter = LoraAdapter.Load(File, LoraTextEncoders.Apply))
        {
            Assert.Equal(
                (8, 2, 4),
                (adapter.Factors["proj_out"].Alpha, adapter.ClipFactors[Layer].Alpha, adapter.ClipFactors["encoder.layers.1.mlp.fc1"].Alpha));
            adapter.Save(_folder.File("again.safetensors"));
        }

        using LoraAdapter again = LoraAdapter.Load(_folder.File("again.safetensors"), LoraTextEncoders.Apply);

        Assert.Equal((8, 2, 4), (again.Factors["proj_out"].Alpha, again.ClipFactors[Layer].Alpha, again.ClipFactors["encoder.layers.1.mlp.fc1"].Alpha));
    }

    [Fact]
    public void SetAdapters_LaysClipsPartOverClip_AndTakesItOff()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor a, Tensor b) = (randn(4, 24), randn(24, 4));
        Write(("lora_te1_text_model_encoder_layers_0_self_attn_q_proj", a, b, ("lora_down", "lora_up")));
        List<string> said = [];
        using FluxModel model = (FluxModel)DiffusionModel.Load(Fixtures.Path("tiny-flux"), new PipelineOptions { Warn = said.Add });
        Tensor plain = Pooled(model);

        model.SetAdapters(new LoraUse(File, 0.5f) { TextEncoders = LoraTextEncoders.Apply });
        Tensor adapted = Pooled(model);
        model.SetAdapters();
        Tensor after = Pooled(model);

        Assert.False(plain.allclose(adapted));
        TensorAssert.Equal(plain, after);
        using (no_grad())
        {
            Tensor weight = model.Text.Clip.state_dict()[$"{Layer}.weight"];
            weight.add_(b.mm(a) * 0.5);
        }
        TensorAssert.Close(adapted, Pooled(model));
        Assert.Empty(said);
    }

    [Fact]
    public void SetAdapters_SaysWhatIsLeftOut_AndRefusesWhatDoesNotFitClip()
    {
        using DisposeScope scope = NewDisposeScope();
        List<string> said = [];
        using FluxModel model = (FluxModel)DiffusionModel.Load(Fixtures.Path("tiny-flux"), new PipelineOptions { Warn = said.Add });
        Write(
            ("transformer.single_transformer_blocks.0.attn.to_q", randn(4, 32), randn(32, 4), null),
            ($"text_encoder.{Layer}", randn(4, 20), randn(24, 4), null));

        LoraUse applied = new(File) { TextEncoders = LoraTextEncoders.Apply };
        Assert.Contains("CLIP's text encoder", Assert.Throws<WeightsException>(() => model.SetAdapters(applied)).Message, StringComparison.Ordinal);
        model.SetAdapters(new LoraUse(File) { TextEncoders = LoraTextEncoders.LeaveOut });

        Assert.Contains("left out", Assert.Single(said), StringComparison.Ordinal);
    }

    private static Tensor Pooled(FluxModel model)
    {
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        (Tensor last, Tensor pooled) = model.Text.Clip.forward(reference["clip_ids"]);
        last.Dispose();
        return pooled;
    }

    /// <summary>A layer of the transformer in the naming that goes with a text encoder's.</summary>
    private static string Transformer(string text) =>
        text.StartsWith("lora_te", StringComparison.Ordinal) ? "lora_unet_double_blocks_0_img_attn_proj"
        : text.StartsWith("text_encoders.", StringComparison.Ordinal) || text.StartsWith("clip_l.", StringComparison.Ordinal)
            ? "diffusion_model.double_blocks.0.img_attn.proj"
        : text.StartsWith("text_encoder", StringComparison.Ordinal) ? "transformer.transformer_blocks.0.attn.to_out.0"
        : "transformer_blocks.0.attn.to_out.0";

    private void Write(params (string Module, Tensor A, Tensor B, (string A, string B)? Suffixes)[] layers) => Write(null, layers);

    private void Write(string? metadata, params (string Module, Tensor A, Tensor B, (string A, string B)? Suffixes)[] layers)
    {
        Dictionary<string, Tensor> tensors = [];
        foreach ((string module, Tensor a, Tensor b, (string A, string B)? suffixes) in layers)
        {
            (string first, string second) = suffixes
                ?? (module.StartsWith("lora_", StringComparison.Ordinal) ? ("lora_down", "lora_up") : ("lora_A", "lora_B"));
            tensors.Add($"{module}.{first}.weight", a);
            tensors.Add($"{module}.{second}.weight", b);
        }
        SafetensorsWriter.Write(File, tensors, metadata is null ? null : new Dictionary<string, string> { ["lora_adapter_metadata"] = metadata });
    }
}
