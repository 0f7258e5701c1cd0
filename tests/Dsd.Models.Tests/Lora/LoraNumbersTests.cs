using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Tests.Flux;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Lora;

/// <summary>Numbers that are none are refused where the adapter is read, by file and tensor: later nobody could tell where they came from.</summary>
public sealed class LoraNumbersTests : IDisposable
{
    private const string Module = "transformer.single_transformer_blocks.0.attn.to_q";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string File => _folder.File("adapter.safetensors");

    [Theory]
    [InlineData("lora_A.weight", double.NaN, ScalarType.Float32)]
    [InlineData("lora_B.weight", double.PositiveInfinity, ScalarType.Float32)]
    [InlineData("lora_B.weight", double.NegativeInfinity, ScalarType.BFloat16)]
    [InlineData("lora_A.weight", double.NaN, ScalarType.Float16)]
    [InlineData("lora_A.weight", 1e300, ScalarType.Float64)]
    public void Load_OfOneNumberThatIsNone_NamesFileAndTensor(string tensor, double value, ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = Pair(type);
        tensors[$"{Module}.{tensor}"][1, 2] = value;
        SafetensorsWriter.Write(File, tensors, metadata: null);

        SafetensorsException e = Assert.Throws<SafetensorsException>(() => LoraAdapter.Load(File));

        Assert.Equal((File, $"{Module}.{tensor}"), (e.File, e.Tensor));
        Assert.Contains("in 1 of 16", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfAWholeTensorThatIsNotFinite_NamesIt()
    {
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = Pair(ScalarType.Float32);
        tensors.Add("transformer.c_embedder.weight", full(4, 4, double.NaN));
        SafetensorsWriter.Write(File, tensors, metadata: null);

        Assert.Equal("transformer.c_embedder.weight", Assert.Throws<SafetensorsException>(() => LoraAdapter.Load(File)).Tensor);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    [InlineData(0)]
    [InlineData(-4)]
    public void Load_OfAnAlphaThatMakesNoSense_NamesIt(double alpha)
    {
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = Pair(ScalarType.Float32);
        tensors.Add($"{Module}.alpha", tensor(alpha, ScalarType.Float64));
        SafetensorsWriter.Write(File, tensors, metadata: null);

        SafetensorsException e = Assert.Throws<SafetensorsException>(() => LoraAdapter.Load(File));

        Assert.Equal($"{Module}.alpha", e.Tensor);
        Assert.Contains("a finite alpha above 0", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfFactorsWhoseProductOverflows_IsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = new() { [$"{Module}.lora_A.weight"] = full(4, 4, 1e30), [$"{Module}.lora_B.weight"] = full(4, 4, 1e30) };
        SafetensorsWriter.Write(File, tensors, metadata: null);

        Assert.Contains("a product with", Assert.Throws<SafetensorsException>(() => LoraAdapter.Load(File)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfLargeFactorsThatNeverMeet_Loads()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor a = zeros(4, 4);
        Tensor b = zeros(4, 4);
        a[0] = 1e30;
        b.select(1, 1).fill_(1e30);
        SafetensorsWriter.Write(File, new Dictionary<string, Tensor> { [$"{Module}.lora_A.weight"] = a, [$"{Module}.lora_B.weight"] = b }, metadata: null);

        LoraAdapter.Load(File).Dispose();
    }

    [Fact]
    public void Attach_ToAModelInFloat16_RefusesNumbersThatItDoesNotHold()
    {
        using FluxTransformer transformer = new(FluxFixture.Tiny, dtype: ScalarType.Float16);
        using LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Rank = 1, Targets = ["norm_out.linear"] });
        static LoraFactors Enlarged(LoraFactors factors) =>
            new(full_like(factors.A, 1e5, ScalarType.Float32), factors.B.to(ScalarType.Float32).alias(), 1);
        using LoraAdapter large = new("large", adapter.Factors.ToDictionary(f => f.Key, f => Enlarged(f.Value)), new Dictionary<string, Tensor>());

        Assert.Contains("norm_out.linear.lora_A", Assert.Throws<WeightsException>(() => large.Attach(transformer)).Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, Tensor> Pair(ScalarType type) =>
        new() { [$"{Module}.lora_A.weight"] = ones(4, 4, dtype: type), [$"{Module}.lora_B.weight"] = ones(4, 4, dtype: type) };
}
