using System.Text;
using System.Text.Json;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Weights;

/// <summary>
/// Weights of eight bits, with and without scales, as ComfyUI writes and reads them (convert_old_quants and MixedPrecisionOps of 2026: value times scale).
/// </summary>
public sealed class Float8Tests : IDisposable
{
    private static readonly byte[] Patterns = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Torch's own numbers for its types float8_e5m2, float8_e4m3fn, float8_e5m2fnuz and float8_e4m3fnuz, for which TorchSharp has no names.
    [Theory]
    [InlineData("F8_E5M2", 23)]
    [InlineData("F8_E4M3", 24)]
    [InlineData("F8_E5M2FNUZ", 25)]
    [InlineData("F8_E4M3FNUZ", 26)]
    public void Widen_GivesTorchsValueOfEveryPattern(string dtype, int type)
    {
        using Tensor narrow = empty([256], (ScalarType)type, device: CPU);
        Patterns.CopyTo(narrow.bytes);
        using Tensor wide = narrow.to(ScalarType.Float32);
        float[] values = new float[256];
        Float8.Widen(dtype, Patterns, values);
        float[] expected = wide.data<float>().ToArray();
        for (int i = 0; i < 256; i++)
        {
            bool same = float.IsNaN(expected[i])
                ? float.IsNaN(values[i])
                : BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(values[i]);
            Assert.True(same, $"{i:x2}: {expected[i]}, {values[i]}");
        }
        using SafetensorsFile file = SafetensorsFile.Open(Write(("a", dtype, [16, 16], Patterns)));
        using Tensor read = file.Read("a");
        Assert.Equal(ScalarType.Float32, read.dtype);
        Assert.Equal(values.Select(BitConverter.SingleToInt32Bits), read.data<float>().ToArray().Select(BitConverter.SingleToInt32Bits));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Load_WidensIntoAnyType(ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = WeightSource.Open(Write(
            ("weight", "F8_E4M3", [2, 3], [0x38, 0xb8, 0x01, 0x7e, 0x00, 0x44]),
            ("bias", "F8_E5M2", [2], [0x3c, 0xc0])));
        using var linear = nn.Linear(3, 2, dtype: type);
        WeightLoader.Load(linear, source);
        Assert.Equal([1, -1, 0.001953125f, 448, 0, 3], linear.weight!.to(ScalarType.Float32).data<float>().ToArray());
        Assert.Equal([1, -2], linear.bias!.to(ScalarType.Float32).data<float>().ToArray());
    }

    [Theory]
    [InlineData(".scale_weight", ".scale_input")]
    [InlineData(".weight_scale", ".input_scale")]
    public void Load_AppliesTheScaleOfAWeight(string scale, string input)
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = WeightSource.Open(Write(
            ("scaled_fp8", "F8_E4M3", [2], [0, 0]),
            ("layer.weight", "F8_E4M3", [2, 2], [0x38, 0xb8, 0x40, 0x00]),
            ($"layer{scale}", "F32", [], Floats(0.3f)),
            ($"layer{input}", "F32", [], Floats(7)),
            ("layer.bias", "F32", [2], Floats(1, 2))));
        Assert.Equal(["layer.weight", "layer.bias"], source.Names);
        Assert.Equal(3, source.ScaleNames.Count);
        foreach (ScalarType type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            using var linear = nn.Linear(2, 2, dtype: type);
            WeightLoader.Load(linear, source, rename: n => n["layer.".Length..]);
            // Rounded once, to the type that is loaded.
            TensorAssert.Equal(tensor(new[] { 0.3f, -0.3f, 0.6f, 0 }).view(2, 2).to(type), linear.weight!);
            Assert.Equal([1, 2], linear.bias!.to(ScalarType.Float32).data<float>().ToArray());
        }
        Assert.Equal([0.3f, -0.3f, 0.6f, 0], source.Read("layer.weight").data<float>().ToArray());
        float[] values = new float[2];
        source.ReadFloats("layer.weight", 1, values);
        Assert.Equal([-0.3f, 0.6f], values);
    }

    [Theory]
    [InlineData(new long[] { 3 })]
    [InlineData(new long[] { 3, 1 })]
    public void Load_AppliesTheScalesOfRows(long[] shape)
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = WeightSource.Open(Write(
            ("layer.weight", "F8_E5M2", [3, 2], [0x3c, 0x3c, 0x3c, 0x3c, 0x3c, 0xbc]),
            ("layer.weight_scale", "BF16", shape, [0x80, 0x3f, 0x00, 0x40, 0x40, 0x40])));
        Assert.Equal([1, 1, 2, 2, 3, -3], source.Read("layer.weight").data<float>().ToArray());
        float[] values = new float[3];
        source.ReadFloats("layer.weight", 3, values);
        Assert.Equal([2, 3, -3], values);
        using var linear = nn.Linear(2, 3, hasBias: false);
        WeightLoader.LoadPieces(linear, source, null, (_, _) => [new WeightPiece("weight", 1, 2, 0), new WeightPiece("weight", 0, 1, 2)]);
        Assert.Equal([2, 2, 3, -3, 1, 1], linear.weight!.data<float>().ToArray());
    }

    [Theory]
    [InlineData("""{"format":"float8_e4m3fn"}""", null)]
    [InlineData("""{"format":"float8_e4m3fn","full_precision_matrix_mult":true}""", null)]
    [InlineData("""{"format":"nvfp4"}""", "nvfp4")]
    [InlineData("""{"format":"float8_e4m3fn","convrot":true}""", "convrot")]
    [InlineData("""[]""", "a quantisation that is not read here")]
    [InlineData("""{""", "as JSON")]
    public void Open_TakesTheFormatsThatItCanRead(string config, string? refused)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(config);
        (string, string, long[], byte[])[] tensors =
        [
            ("a.weight", "F8_E4M3", [1], [0x38]),
            ("a.weight_scale", "F32", [], Floats(2)),
            ("a.comfy_quant", "U8", [bytes.Length], bytes),
        ];
        if (refused is null)
        {
            using WeightSource source = WeightSource.Open(Write(tensors));
            using Tensor read = source.Read("a.weight");
            Assert.Equal(2, read.item<float>());
            return;
        }
        string file = Write(tensors);
        WeightsException e = Assert.Throws<WeightsException>(() => WeightSource.Open(file));
        Assert.Equal(file, e.File);
        Assert.Contains(refused, e.Message, StringComparison.Ordinal);
        Assert.Contains("'a.comfy_quant'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"format_version":"1.0","layers":{"a":{"format":"float8_e5m2"}}}""", null)]
    [InlineData("""{"layers":{"a":{"format":"int8_tensorwise"}}}""", "int8_tensorwise")]
    public void Open_ReadsTheFormatsOfTheMetadata(string metadata, string? refused)
    {
        string file = WriteWith(new() { ["_quantization_metadata"] = metadata }, ("a.weight", "F8_E5M2", [1], [0x3c]));
        if (refused is null)
        {
            WeightSource.Open(file).Dispose();
            return;
        }
        Assert.Contains(refused, Assert.Throws<WeightsException>(() => WeightSource.Open(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_RefusesScalesThatFitNoWeight()
    {
        Refused(
            "for each of the 2 rows of 'a.weight' F8_E4M3 [2, 2]",
            ("a.weight", "F8_E4M3", [2, 2], new byte[4]),
            ("a.weight_scale", "F32", [1, 2], Floats(1, 2)));
        Refused("'a.weight_scale' as one floating-point number", ("a.weight", "I8", [2], new byte[2]), ("a.weight_scale", "F32", [], Floats(1)));
        Refused("finite numbers in 'a.weight_scale'", ("a.weight", "F8_E4M3", [2], new byte[2]), ("a.weight_scale", "F32", [], Floats(float.NaN)));
        Refused(
            "one scale for 'a.weight'",
            ("a.weight", "F8_E4M3", [2], new byte[2]),
            ("a.weight_scale", "F32", [], Floats(1)),
            ("a.scale_weight", "F32", [], Floats(1)));
        Refused(
            "'a.weight_scale_inv': a quantisation with weight_scale_inv",
            ("a.weight", "F8_E4M3", [2, 2], new byte[4]),
            ("a.weight_scale_inv", "F32", [1, 1], Floats(1)));
        Refused("F8_E8M0", ("a.weight", "F8_E4M3", [1, 32], new byte[32]), ("a.weight_scale", "F8_E8M0", [1, 1], new byte[1]));
    }

    [Fact]
    public void Transformer_LoadsFromASingleFileWithScales()
    {
        // The same numbers, once wide and once in eight bits: powers of two times a small number fit both.
        FluxConfig config = new()
        {
            NumLayers = 1,
            NumSingleLayers = 1,
            AttentionHeadDim = 32,
            NumAttentionHeads = 1,
            InChannels = 8,
            JointAttentionDim = 8,
            PooledProjectionDim = 8,
            AxesDimsRope = [4, 14, 14],
        };
        using DisposeScope scope = NewDisposeScope();
        using FluxTransformer wide = new(config);
        List<(string, string, long[], byte[])> tensors = [("scaled_fp8", "F8_E4M3", [0], [])];
        foreach ((string name, Tensor place) in wide.state_dict())
        {
            byte[] bytes = [.. Enumerable.Range(0, (int)place.numel()).Select(i => (byte)(0x30 + (i % 13) + (i % 2 == 0 ? 0x80 : 0)))];
            tensors.Add((name, "F8_E4M3", place.shape, bytes));
            bool isMatrix = name.EndsWith(".weight", StringComparison.Ordinal) && place.dim() == 2;
            if (isMatrix)
            {
                tensors.Add((name[..^".weight".Length] + ".scale_weight", "F32", [], Floats(0.5f)));
            }
            float[] values = new float[bytes.Length];
            Float8.Widen("F8_E4M3", bytes, values);
            using IDisposable noGrad = no_grad();
            place.copy_(tensor(values).view(place.shape) * (isMatrix ? 0.5f : 1));
        }
        using WeightSource source = WeightSource.Open(Write([.. tensors]));
        using FluxTransformer read = FluxCheckpoint.Load(config, source);
        Assert.All(wide.state_dict(), p => TensorAssert.Equal(p.Value, read.state_dict()[p.Key]));
    }

    [Fact]
    public void TextEncoder_LoadsFromEightBits()
    {
        string folder = Fixtures.Own("tiny-flux", "text_encoder_2");
        using DisposeScope scope = NewDisposeScope();
        using WeightSource wide = WeightSource.Open(folder);
        List<(string, string, long[], byte[])> tensors = [];
        foreach (string name in wide.Names)
        {
            using Tensor narrow = wide.Read(name).to((ScalarType)24);
            tensors.Add((name, "F8_E4M3", narrow.shape, narrow.bytes.ToArray()));
        }
        File.Move(Write([.. tensors]), _folder.File("model.safetensors"));
        File.Copy(Path.Combine(folder, "config.json"), _folder.File("config.json"));
        using T5Encoder t5 = T5Encoder.Load(_folder.Path);
        Assert.All(t5.state_dict(), p => TensorAssert.Equal(wide.Read(p.Key).to((ScalarType)24).to(ScalarType.Float32), p.Value));
    }

    [Fact]
    public void Adapter_LoadsFromEightBits()
    {
        const string Layer = "transformer.single_transformer_blocks.0.attn.to_q";
        using LoraAdapter adapter = LoraAdapter.Load(Write(
            ($"{Layer}.lora_A.weight", "F8_E4M3", [1, 2], [0x38, 0x40]),
            ($"{Layer}.lora_B.weight", "F8_E5M2", [2, 1], [0x3c, 0xbc])));
        LoraFactors factors = adapter.Factors["single_transformer_blocks.0.attn.to_q"];
        Assert.Equal([1, 2], factors.A.data<float>().ToArray());
        Assert.Equal([1, -1], factors.B.data<float>().ToArray());
    }

    private static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private void Refused(string message, params (string, string, long[], byte[])[] tensors)
    {
        string file = Write(tensors);
        Assert.Contains(message, Assert.Throws<WeightsException>(() => WeightSource.Open(file)).Message, StringComparison.Ordinal);
    }

    private string Write(params (string Name, string DType, long[] Shape, byte[] Bytes)[] tensors) => WriteWith([], tensors);

    private string WriteWith(Dictionary<string, string> metadata, params (string Name, string DType, long[] Shape, byte[] Bytes)[] tensors)
    {
        Dictionary<string, object> header = new() { ["__metadata__"] = metadata };
        long begin = 0;
        foreach ((string name, string dtype, long[] shape, byte[] bytes) in tensors)
        {
            header[name] = new { dtype, shape, data_offsets = new[] { begin, begin += bytes.Length } };
        }
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        string path = _folder.File("eight-bits.safetensors");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)json.Length), .. json, .. tensors.SelectMany(t => t.Bytes)]);
        return path;
    }
}
