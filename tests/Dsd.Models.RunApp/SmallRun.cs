using Dsd.Models.Training;
using Dsd.Models.Training.Parallel;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.RunApp;

/// <summary>A network of two layers that learns four examples a step, shared out among the processes of a group.</summary>
public sealed class SmallRun : IDisposable
{
    private const int Examples = 4;
    private readonly Device _device;
    private readonly TrainingGroup? _group;
    private readonly Sequential _network;

    public SmallRun(Device device, TrainingGroup? group)
    {
        (_device, _group) = (device, group);
        _network = nn.Sequential(nn.Linear(5, 33), nn.Tanh(), nn.Linear(33, 3));
        // All begin with other weights: those of rank 0 must be given to all. Not by torch's own seed, which tests that run beside this one use too.
        using Generator random = new((ulong)(1 + (group?.Rank ?? 0)));
        using (no_grad())
        {
            foreach (Parameter parameter in _network.parameters())
            {
                using Tensor drawn = rand(parameter.shape, generator: random);
                using Tensor weights = (drawn - 0.5) * 0.6;
                parameter.copy_(weights);
            }
        }
        _network.to(device);
    }

    /// <summary>Trains; <paramref name="before"/> is called before each loss.</summary>
    public void Train(string? folder, long steps, Action<long>? before = null)
    {
        TrainingLoopOptions options = new()
        {
            Steps = steps,
            PeakLearningRate = 0.01,
            CheckpointFolder = folder is { Length: > 0 } and not "-" ? folder : null,
            CheckpointSteps = 2,
            Schedule = LearningRateSchedule.Constant,
            Group = _group,
        };
        TrainingLoop? told = null;
        // As a network does that is more than two layers: the last layer's gradients travel while the first one's are worked out.
        void Backward(Tensor loss)
        {
            loss.backward();
            told!.BlockIsBack("2");
            told.BlockIsBack("0");
        }
        using TrainingLoop loop = new(_network.parameters(), options, null, Backward, [.. _network.named_parameters().Select(p => p.name)]);
        told = loop;
        loop.Run(step =>
        {
            before?.Invoke(step);
            int each = Examples / (_group?.WorldSize ?? 1);
            long first = (step * Examples) + ((_group?.Rank ?? 0) * each);
            Tensor sum = zeros(1, device: _device);
            for (int i = 0; i < each; i++)
            {
                using Generator random = new((ulong)(first + i));
                sum = sum + _network.forward(randn([2, 5], generator: random).to(_device)).square().mean();
            }
            return sum.sum() / each;
        });
    }

    /// <summary>A number that tells weights apart.</summary>
    public double Sum()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return _network.parameters().Sum(p => p.cpu().to(ScalarType.Float64).abs().sum().item<double>());
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
