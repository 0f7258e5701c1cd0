using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Weights;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_GivesBackTheBytesOfAReferenceFile()
    {
        string path = _folder.File("copy.safetensors");
        foreach (string reference in Directory.EnumerateFiles(Fixtures.Folder, "*.safetensors", SearchOption.AllDirectories))
        {
            using SafetensorsFile file = SafetensorsFile.Open(reference);
            using DisposeScope scope = NewDisposeScope();
            SafetensorsWriter.Write(path, file.Entries.Keys.Select(name => KeyValuePair.Create(name, file.Read(name))), file.Metadata);
            Assert.True(File.ReadAllBytes(reference).AsSpan().SequenceEqual(File.ReadAllBytes(path)), reference);
        }
    }

    [Fact]
    public void Write_KeepsTheOrderOfTheTensors()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = _folder.File("order.safetensors");
        SafetensorsWriter.Write(path, [new("z", rand(2)), new("a", rand(3)), new("m", rand(1))]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(["z", "a", "m"], file.Entries.Values.OrderBy(e => e.Begin).Select(e => e.Name));
    }

    [Fact]
    public void Write_StoresTransposedTensorsInRowMajorOrder()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = _folder.File("transposed.safetensors");
        Tensor tensor = rand(2, 3).t();
        SafetensorsWriter.Write(path, [new("a", tensor)]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        TensorAssert.Equal(tensor, file.Read("a"));
    }

    [Fact]
    public void Write_StoresTensorsOfManyPieces()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = _folder.File("large.safetensors");
        Tensor tensor = arange(40_000_000, dtype: ScalarType.Int32).to(ScalarType.Byte);
        SafetensorsWriter.Write(path, [new("a", tensor)]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        TensorAssert.Equal(tensor, file.Read("a"));
    }

    [Fact]
    public void Write_BeginsTheDataAtAMultipleOfEightBytes()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (string name in new[] { "a", "ab", "abc" })
        {
            string path = _folder.File("aligned.safetensors");
            SafetensorsWriter.Write(path, [new(name, zeros(1))]);
            Assert.Equal(4, new FileInfo(path).Length % 8);
        }
    }

    [Fact]
    public void Write_RefusesANameTwiceAndLeavesNoFile()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.Throws<SafetensorsException>(() => SafetensorsWriter.Write(_folder.File("twice.safetensors"), [new("a", zeros(1)), new("a", zeros(1))]));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public void Write_RefusesATypeOutsideTheFormat()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.Throws<SafetensorsException>(
            () => SafetensorsWriter.Write(_folder.File("complex.safetensors"), [new("a", zeros(1, dtype: ScalarType.ComplexFloat32))]));
    }

    [Fact]
    public void Write_LeavesNoPartialFileAfterAFailure()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tensor = zeros(1);
        tensor.Dispose();
        Assert.ThrowsAny<Exception>(() => SafetensorsWriter.Write(_folder.File("dead.safetensors"), [new("a", tensor)]));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public void Write_OfArrays_GivesTheBytesOfTheirTensors()
    {
        using TemporaryFolder folder = new();
        float[] numbers = [1, -2.5f, float.Epsilon, 4, 5, 6];
        using torch.Tensor whole = torch.tensor(numbers, [2, 3]);
        using torch.Tensor one = torch.tensor(7f);
        SafetensorsWriter.Write(folder.File("a"), new Dictionary<string, torch.Tensor> { ["whole"] = whole, ["one"] = one });

        using (FileStream stream = File.Create(folder.File("b")))
        {
            SafetensorsWriter.Write(stream, "b", [("whole", [2, 3], numbers), ("one", [], [7f])]);
        }

        Assert.Equal(File.ReadAllBytes(folder.File("a")), File.ReadAllBytes(folder.File("b")));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(Stream.Null, "b", [("whole", [2, 2], numbers)]));
        Assert.Throws<SafetensorsException>(() => SafetensorsWriter.Write(Stream.Null, "b", [("one", [], [7f]), ("one", [], [7f])]));
    }

    [Theory]
    [InlineData(torch.ScalarType.Float64, 6.25)]
    [InlineData(torch.ScalarType.Float32, 6.25)]
    [InlineData(torch.ScalarType.Float16, 6.25)]
    [InlineData(torch.ScalarType.BFloat16, 6.25)]
    [InlineData(torch.ScalarType.Int64, -7)]
    [InlineData(torch.ScalarType.Int32, -7)]
    [InlineData(torch.ScalarType.Int16, -7)]
    [InlineData(torch.ScalarType.Int8, -7)]
    [InlineData(torch.ScalarType.Byte, 200)]
    public void ReadNumber_GivesTheOneNumberOfEveryType(torch.ScalarType type, double number)
    {
        using TemporaryFolder folder = new();
        using torch.Tensor one = torch.tensor(number).to(type);
        using torch.Tensor two = torch.ones(2);
        using torch.Tensor truth = torch.tensor(true);
        SafetensorsWriter.Write(folder.File("a"), new Dictionary<string, torch.Tensor> { ["one"] = one, ["two"] = two, ["truth"] = truth });
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a"));

        Assert.Equal(number, file.ReadNumber("one"));
        Assert.Throws<SafetensorsException>(() => file.ReadNumber("two"));
        Assert.Throws<SafetensorsException>(() => file.ReadNumber("truth"));
        Assert.Throws<SafetensorsException>(() => file.ReadNumber("none"));
    }
}
