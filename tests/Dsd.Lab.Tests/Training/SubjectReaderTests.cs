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
        Tensor truth = Truth(1);
        Tensor first = Gradient(truth);

        // Another subject in the second panel: only that panel's tokens are asked something else.
        Tensor other = truth.clone();
        other[0, 1] = (truth[0, 1] + 1) % tensor(Subject.Kinds.Select(kind => (long)kind.Count).ToArray());
        Tensor second = Gradient(other);

        for (int token = 0; token < Panels.Length; token++)
        {
            Assert.Equal(Panels[token] == 0, first[0, token].equal(second[0, token]).all().item<bool>());
        }

        Tensor Gradient(Tensor subjects)
        {
            reader.Loss(hidden, tensor(Panels), subjects).backward();
            Tensor gradient = hidden.grad!.clone();
            hidden.grad!.zero_();
            return gradient;
        }
    }

    private static Tensor Truth(int batch)
    {
        WorldRandom random = new(3);
        long[] values = [.. Enumerable.Range(0, 2 * batch).SelectMany(_ => WorldSampler.SampleSubject(random).Values).Select(value => (long)value)];
        return tensor(values).reshape(batch, 2, Subject.Kinds.Count);
    }
}
