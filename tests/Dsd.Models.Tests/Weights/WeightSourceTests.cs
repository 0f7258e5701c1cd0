using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Weights;

public sealed class WeightSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("diffusion_pytorch_model.safetensors")]
    public void Open_FindsTheWeightsOfAComponentFolder(string file)
    {
        Write(file, "a");
        using WeightSource source = WeightSource.Open(_folder.Path);
        Assert.Equal(["a"], source.Names);
    }

    [Fact]
    public void Open_ReadsShardsAsOne()
    {
        Shards();
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = WeightSource.Open(_folder.Path);
        Assert.Equal(["a", "b", "c"], source.Names.Order(StringComparer.Ordinal));
        TensorAssert.Equal(full(2, 99f), source.Read("c"));
        Assert.Equal([2], source.Entry("b").Shape);
        Assert.Equal(8, source.Bytes("b").Length);
    }

    [Fact]
    public void Open_TakesAnIndexByItsOwnPath()
    {
        Shards();
        using WeightSource source = WeightSource.Open(_folder.File("model.safetensors.index.json"));
        Assert.True(source.Contains("b"));
    }

    [Theory]
    [InlineData("""{"weight_map":{}}""", "an empty one")]
    [InlineData("""{}""", "weight_map")]
    [InlineData("""{"weight_map":{"a":"../s1.safetensors"}}""", "plain file name")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", "plain file name")]
    [InlineData("""{"weight_map":{"a":".."}}""", "plain file name")]
    [InlineData("""{"weight_map":{"a":"s3.safetensors"}}""", "no such file")]
    [InlineData("""{"weight_map":{"a":"s1.safetensors","b":"s1.safetensors","z":"s1.safetensors"}}""", "it in no shard")]
    [InlineData("""{"weight_map":{"a":"s1.safetensors","b":"s2.safetensors","c":"s2.safetensors"}}""", "it in 's1.safetensors'")]
    [InlineData("""{"weight_map":{"a":"s1.safetensors"}}""", "it missing there")]
    [InlineData("""{"weight_map":{"a":null}}""", "found null")]
    [InlineData("""not json""", "JSON")]
    public void Open_RefusesAnIndexThatIsWrong(string index, string message)
    {
        Shards();
        File.WriteAllText(_folder.File("model.safetensors.index.json"), index);
        WeightsException e = Assert.Throws<WeightsException>(() => WeightSource.Open(_folder.Path));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_RefusesATensorInTwoShards()
    {
        Shards();
        Write("s2.safetensors", "a", "c");
        Assert.Contains("'a' in one shard", Assert.Throws<WeightsException>(() => WeightSource.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NamesAPickleInPlaceOfWeights()
    {
        File.WriteAllBytes(_folder.File("pytorch_model.bin"), [.. "PK"u8, 3, 4, .. "......archive/data.pkl"u8]);
        Assert.Contains(
            "found pytorch_model.bin (a pickle zipped (.pt, .bin, .ckpt), which can run programs",
            Assert.Throws<WeightsException>(() => WeightSource.Open(_folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    public void Open_TakesAnIndexWithAByteOrderMark(string encoding)
    {
        using TorchSharp.torch.Tensor one = TorchSharp.torch.ones(1);
        SafetensorsWriter.Write(_folder.File("a.safetensors"), new Dictionary<string, TorchSharp.torch.Tensor> { ["a"] = one });
        string index = _folder.File("model.safetensors.index.json");
        File.WriteAllText(index, """{"weight_map":{"a":"a.safetensors"}}""", System.Text.Encoding.GetEncoding(encoding));
        using WeightSource source = WeightSource.Open(index);
        Assert.Equal(["a"], source.Names);
    }

    [Fact]
    public void Open_TellsWhatAFolderWithoutWeightsHolds()
    {
        File.WriteAllText(_folder.File("model.bin"), "");
        Assert.Contains("found model.bin", Assert.Throws<WeightsException>(() => WeightSource.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NamesAFileThatIsMissing() =>
        Assert.Contains(
            "none.safetensors",
            Assert.Throws<FileNotFoundException>(() => WeightSource.Open(_folder.File("none.safetensors"))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Entry_NamesATensorThatIsMissing()
    {
        Write("model.safetensors", "a");
        using WeightSource source = WeightSource.Open(_folder.Path);
        Assert.Contains("a tensor 'b'", Assert.Throws<WeightsException>(() => source.Entry("b")).Message, StringComparison.Ordinal);
    }

    private void Shards()
    {
        Write("s1.safetensors", "a", "b");
        Write("s2.safetensors", "c");
        File.WriteAllText(
            _folder.File("model.safetensors.index.json"),
            """{"metadata":{"total_size":24},"weight_map":{"a":"s1.safetensors","b":"s1.safetensors","c":"s2.safetensors"}}""");
    }

    /// <summary>Tensors of two numbers each, the code of their name's letter.</summary>
    private void Write(string file, params string[] names)
    {
        using DisposeScope scope = NewDisposeScope();
        SafetensorsWriter.Write(_folder.File(file), names.Select(n => KeyValuePair.Create(n, full(2, (float)n[0]))));
    }
}
