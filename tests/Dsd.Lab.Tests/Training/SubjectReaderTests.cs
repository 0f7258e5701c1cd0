using Dsd.Lab.Training;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public sealed class SubjectReaderTests
{
    private const int Width = 16;

    // Two panels of two tokens, one below the other.
    private static readonly long[] Panels = [0, 1, 0, 1];

    [Fact]
    public void Loss_FallsWhereHiddenStatesTellThePanelsSubjects()
    {
        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(1);
        using SubjectReader reader = new(Width, CPU, ScalarType.Float32);
        Tensor hidden = randn(8, 4, Width);
        Tensor truth = Truth(8);
        Tensor panels = tensor(Panels);
        double chance = Subject.Kinds.Average(kind => Math.Log(kind.Count));
        Assert.Equal(chance, reader.Loss(hidden, panels, truth).item<float>(), 0.2);

        using optim.Optimizer adam = optim.Adam(reader.parameters(), 0.01);
        for (int step = 0; step < 60; step++)
        {
            using DisposeScope inner = NewDisposeScope();
            adam.zero_grad();
            reader.Loss(hidden, panels, truth).backward();
            adam.step();
        }

        Assert.True(reader.Loss(hidden, panels, truth).item<float>() < 0.2 * chance);
    }

    [Fact]
    public void Loss_AsksOfAPanelItsOwnTokensAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(2);
        using SubjectReader reader = new(Width, CPU, ScalarType.Float32);
        Tensor hidden = randn(1, 4, Width).requires_grad_(true);

        // As if the second panel had no say: what is asked of it is what it answers already, to the last bit.
        reader.Loss(hidden, tensor(Panels), Truth(1)).backward();
        Tensor both = hidden.grad!.clone();
        Assert.All(Enumerable.Range(0, 4), token => Assert.True(both[0, token].abs().sum().item<float>() > 0));
        // A token moved to the other panel changes what that panel's are asked.
        hidden.grad!.zero_();
        reader.Loss(hidden, tensor(new long[] { 0, 0, 1, 1 }), Truth(1)).backward();
        Assert.False(both.allclose(hidden.grad!));
    }

    private static Tensor Truth(int batch)
    {
        WorldRandom random = new(3);
        long[] values = [.. Enumerable.Range(0, 2 * batch).SelectMany(_ => WorldSampler.SampleSubject(random).Values).Select(value => (long)value)];
        return tensor(values).reshape(batch, 2, Subject.Kinds.Count);
    }
}
