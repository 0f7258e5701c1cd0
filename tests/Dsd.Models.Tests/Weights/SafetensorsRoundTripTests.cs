using CsCheck;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Weights;

public sealed class SafetensorsRoundTripTests : IDisposable
{
    private static readonly ScalarType[] Types =
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64,
        ScalarType.Int32, ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    private static readonly Gen<(string Name, ScalarType Type, long[] Shape)[]> Layouts =
        Gen.Select(Gen.String, Gen.Int[0, Types.Length - 1].Select(i => Types[i]), Gen.Long[0, 4].Array[0, 3])
            .Array[0, 8]
            .Select(tensors => tensors.Where(t => t.Item1 != "__metadata__" && IsText(t.Item1)).DistinctBy(t => t.Item1).ToArray());

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_GivesBackWhatWasWritten() => Layouts.Sample(
        layout =>
        {
            using DisposeScope scope = NewDisposeScope();
            string path = _folder.File($"{Guid.NewGuid():N}.safetensors");
            var written = layout.Select(t => KeyValuePair.Create(t.Name, (randn(t.Shape) * 100).to(t.Type))).ToArray();
            SafetensorsWriter.Write(path, written);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Assert.Equal(written.Select(t => t.Key), file.Entries.Keys);
            foreach ((string name, Tensor tensor) in written)
            {
                Tensor read = file.Read(name);
                Assert.Equal(tensor.dtype, read.dtype);
                TensorAssert.Equal(tensor, read);
            }
        },
        iter: 100);

    [Fact]
    public void Write_GivesTheSameBytesForWhatWasRead() => Layouts.Sample(
        layout =>
        {
            using DisposeScope scope = NewDisposeScope();
            string first = _folder.File($"{Guid.NewGuid():N}.safetensors");
            string second = first + ".again";
            SafetensorsWriter.Write(
                first, layout.Select(t => KeyValuePair.Create(t.Name, ones(t.Shape, t.Type))), new Dictionary<string, string> { ["k"] = "v\"\n" });
            using SafetensorsFile file = SafetensorsFile.Open(first);
            SafetensorsWriter.Write(second, file.Entries.Keys.Select(n => KeyValuePair.Create(n, file.Read(n))), file.Metadata);
            Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
        },
        iter: 50);

    [Fact]
    public void Open_GivesItsOwnExceptionForAnyDamage()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = _folder.File("whole.safetensors");
        SafetensorsWriter.Write(path, [new("a", ones(2, 3)), new("b", zeros(4, dtype: ScalarType.Byte))]);
        byte[] whole = File.ReadAllBytes(path);
        Gen.Select(Gen.Int[0, whole.Length - 5], Gen.Byte).Sample(
            (at, value) =>
            {
                byte[] damaged = [.. whole];
                damaged[at] = value;
                string copy = _folder.File($"{Guid.NewGuid():N}.safetensors");
                File.WriteAllBytes(copy, damaged);
                try
                {
                    using SafetensorsFile file = SafetensorsFile.Open(copy);
                    Assert.All(file.Entries.Keys, n => Assert.Equal(file.Entries[n].ByteLength, file.Bytes(n).Length));
                }
                catch (SafetensorsException)
                {
                    // The damage was seen. In a name or a number of the data it cannot be.
                }
            },
            iter: 400);
    }

    [Fact]
    public void Read_LeavesNoTensorBehind()
    {
        string path = _folder.File("live.safetensors");
        LiveTensors.AssertUnchanged(() =>
        {
            using Tensor tensor = ones(5, 5);
            SafetensorsWriter.Write(path, [new("a", tensor)]);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            file.Read("a").Dispose();
        });
    }

    [Fact]
    public void Load_LeavesNoTensorBehind()
    {
        string path = _folder.File("load.safetensors");
        using var linear = nn.Linear(3, 2);
        using var half = nn.Linear(3, 2, dtype: ScalarType.BFloat16);
        SafetensorsWriter.Write(path, linear.state_dict());
        LiveTensors.AssertUnchanged(() =>
        {
            using WeightSource source = WeightSource.Open(path);
            WeightLoader.Load(linear, source);
            WeightLoader.Load(half, source);
        });
    }

    /// <summary>Names go through UTF-8, which has no halves of surrogate pairs.</summary>
    private static bool IsText(string name) => name == System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(name));
}
