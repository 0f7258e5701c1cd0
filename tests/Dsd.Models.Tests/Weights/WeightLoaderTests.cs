using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Weights;

public sealed class WeightLoaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_CopiesEveryParameter()
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Write(("weight", rand(2, 3)), ("bias", rand(2)));
        using var linear = nn.Linear(3, 2);
        WeightLoader.Load(linear, source);
        TensorAssert.Equal(source.Read("weight"), linear.weight!);
        Assert.True(linear.weight!.requires_grad);
    }

    [Fact]
    public void Load_CastsToTheParametersType()
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Write(("weight", rand(2, 3)), ("bias", rand(2)));
        using var linear = nn.Linear(3, 2, dtype: ScalarType.BFloat16);
        WeightLoader.Load(linear, source);
        TensorAssert.Equal(source.Read("weight").to(ScalarType.BFloat16), linear.weight!);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Load_CastsTensorsThatAreLargerThanItsBuffer(int columns)
    {
        using DisposeScope scope = NewDisposeScope();
        long rows = (16 << 20) / (sizeof(float) * columns) + 12_345; // a buffer and some more
        using WeightSource source = Write(("weight", rand(rows, columns)), ("bias", rand(rows)));
        using var linear = nn.Linear(columns, rows, dtype: ScalarType.BFloat16);
        WeightLoader.Load(linear, source);
        TensorAssert.Equal(source.Read("weight").to(ScalarType.BFloat16), linear.weight!);
        TensorAssert.Equal(source.Read("bias").to(ScalarType.BFloat16), linear.bias!);
    }

    [Fact]
    public void Load_ListsAllThatIsWrongAtOnce()
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Write(("weight", rand(3, 3)), ("extra", rand(1)));
        using var linear = nn.Linear(3, 2);
        WeightsException e = Assert.Throws<WeightsException>(() => WeightLoader.Load(linear, source));
        Assert.Equal(source.Path, e.File);
        Assert.Contains("Missing: bias [2].", e.Message, StringComparison.Ordinal);
        Assert.Contains("Unexpected: extra F32 [1].", e.Message, StringComparison.Ordinal);
        Assert.Contains("Ill-fitting: weight: expected [2, 3], found F32 [3, 3].", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ChangesNothingWhereSomethingDoesNotFit()
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Write(("weight", rand(2, 3)));
        using var linear = nn.Linear(3, 2);
        Tensor before = linear.weight!.clone();
        Assert.Throws<WeightsException>(() => WeightLoader.Load(linear, source));
        TensorAssert.Equal(before, linear.weight!);
    }

    [Fact]
    public void Load_RefusesWholeNumbersForWeights()
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Write(("weight", zeros(2, 3, dtype: ScalarType.Int64)), ("bias", rand(2)));
        using var linear = nn.Linear(3, 2);
        Assert.Contains("found I64 [2, 3]", Assert.Throws<WeightsException>(() => WeightLoader.Load(linear, source)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_PassesOverWhatIsIgnored()
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Write(("weight", rand(2, 3)), ("bias", rand(2)), ("extra", rand(1)));
        using var linear = nn.Linear(3, 2);
        WeightLoader.Load(linear, source, name => name == "extra");
    }

    [Fact]
    public void Load_RefusesTwoNamesForOneParameter()
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Write(("weight", rand(2, 3)), ("bias", rand(2)), ("old.bias", rand(2)));
        using var linear = nn.Linear(3, 2);
        WeightsException e = Assert.Throws<WeightsException>(
            () => WeightLoader.Load(linear, source, rename: name => name.Replace("old.", "", StringComparison.Ordinal)));
        Assert.Contains("a second tensor for bias", e.Message, StringComparison.Ordinal);
    }

    private WeightSource Write(params (string Name, Tensor Tensor)[] tensors)
    {
        string path = _folder.File("weights.safetensors");
        SafetensorsWriter.Write(path, tensors.Select(t => KeyValuePair.Create(t.Name, t.Tensor)));
        return WeightSource.Open(path);
    }
}
