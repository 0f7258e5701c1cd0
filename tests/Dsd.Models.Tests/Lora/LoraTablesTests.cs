using System.Runtime.InteropServices;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Lora;

/// <summary>An adapter as arrays is the adapter that <see cref="LoraAdapter.Load(string, LoraTextEncoders)"/> gives.</summary>
public sealed class LoraTablesTests : IDisposable
{
    private const int Width = 8;
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Tables_AreTheAdaptersFactors_InEveryWayThatLayersAreDivided(ScalarType type)
    {
        string file = Write(
            ("lora_unet_double_blocks_3_img_attn_qkv.lora_down.weight", randn(2, Width, type)),
            ("lora_unet_double_blocks_3_img_attn_qkv.lora_up.weight", randn(3 * Width, 2, type)),
            ("lora_unet_double_blocks_3_img_attn_qkv.alpha", tensor(6f)),
            ("lora_unet_single_blocks_12_linear1.lora_down.weight", randn(4, Width, type)),
            ("lora_unet_single_blocks_12_linear1.lora_up.weight", randn(7 * Width, 4, type)),
            ("lora_unet_final_layer_adaLN_modulation_1.lora_down.weight", randn(3, Width, type)),
            ("lora_unet_final_layer_adaLN_modulation_1.lora_up.weight", randn(2 * Width, 3, type)),
            ("lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight", randn(1, 5, type)),
            ("lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight", randn(5, 1, type)));
        LoraUse use = new(file) { TextEncoders = LoraTextEncoders.Apply };
        using LoraAdapter adapter = LoraAdapter.Load(file, LoraTextEncoders.Apply);

        using LoraTables ofFile = LoraTables.Open(use);
        using LoraTables ofMemory = LoraTables.Open(new LoraUse(adapter));

        foreach (LoraTables tables in new[] { ofFile, ofMemory })
        {
            AssertSame(adapter.Factors, tables.Layers);
            AssertSame(adapter.ClipFactors, tables.ClipLayers);
            Assert.False(tables.HasCondition);
        }
        Assert.Single(adapter.ClipFactors);
    }

    [Fact]
    public void Tables_HoldWholeTensors_AndKnowACondition()
    {
        Tensor whole = randn(Width, 3);
        string file = Write(
            ("transformer.c_embedder.weight", whole), ("transformer.proj_out.lora_A.weight", randn(2, Width)),
            ("transformer.proj_out.lora_B.weight", randn(3, 2)));

        using LoraTables tables = LoraTables.Open(new LoraUse(file));

        Assert.True(tables.HasCondition);
        Assert.Equal([Width, 3], tables.Whole["c_embedder.weight"].Shape);
        Assert.Equal(Numbers(whole), tables.Whole["c_embedder.weight"].Read());
        Assert.Equal(file, tables.Source);
    }

    [Fact]
    public void Open_RefusesWhatLoadRefuses_InTheSameWords()
    {
        Tensor broken = randn(2, Width);
        broken[1, 3] = float.NaN;
        foreach (string file in new[]
        {
            Write(("transformer.proj_out.lora_A.weight", broken), ("transformer.proj_out.lora_B.weight", randn(3, 2))),
            Write(("transformer.proj_out.lora_A.weight", randn(2, Width))),
            Write(("transformer.proj_out.lora_A.weight", ones(2, Width).to(ScalarType.Int32)), ("transformer.proj_out.lora_B.weight", randn(3, 2))),
            Write(("text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_A.weight", randn(2, Width)),
                ("text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_B.weight", randn(3, 2))),
        })
        {
            string expected = Assert.ThrowsAny<WeightsException>(() => LoraAdapter.Load(file)).Message;
            Assert.Equal(expected, Assert.ThrowsAny<WeightsException>(() => LoraTables.Open(new LoraUse(file))).Message);
        }
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static void AssertSame(IReadOnlyDictionary<string, LoraFactors> expected, IReadOnlyDictionary<string, LoraLayerTables> found)
    {
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), found.Keys.Order(StringComparer.Ordinal));
        foreach ((string module, LoraFactors factors) in expected)
        {
            LoraLayerTables layer = found[module];
            (float[] a, float[] b) = layer.Read();
            Assert.Equal((factors.Rank, factors.Scale), (layer.Rank, layer.Scale));
            Assert.Equal((factors.A.shape[1], factors.B.shape[0]), (layer.Inputs, layer.Outputs));
            Assert.Equal(Numbers(factors.A), a);
            Assert.Equal(Numbers(factors.B), b);
        }
    }

    private static float[] Numbers(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.to(ScalarType.Float32).contiguous().bytes).ToArray();

    private string Write(params (string Name, Tensor Tensor)[] tensors)
    {
        string file = _folder.File($"{Guid.NewGuid():N}.safetensors");
        SafetensorsWriter.Write(file, tensors.ToDictionary(t => t.Name, t => t.Tensor));
        return file;
    }
}
