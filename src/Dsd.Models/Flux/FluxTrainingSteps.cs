using System.Diagnostics;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Planning;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>Steps of training an adapter as <see cref="LoraTrainer"/> takes them, on noise in place of pairs, to be timed.</summary>
/// <param name="image">Image tokens of a pair's canvas.</param>
/// <param name="text">Text tokens.</param>
/// <param name="batch">Pairs of a loss.</param>
internal sealed class FluxTrainingSteps(long image, long text, int batch)
{
    /// <summary>Takes the steps.</summary>
    /// <param name="transformer">The network, as <paramref name="setting"/> says but for what its blocks keep.</param>
    /// <param name="setting">What blocks keep.</param>
    /// <param name="attached">What learns.</param>
    /// <param name="options">The loop's options, with all steps in their number.</param>
    /// <param name="warmUp">The first steps, whose time does not count.</param>
    /// <returns>The seconds of each other step, and the last loss.</returns>
    public (double[] Seconds, double Loss) Take(
        FluxTransformer transformer, TrainingSetting setting, LoraAttachment attached, TrainingLoopOptions options, int warmUp)
    {
        using DisposeScope scope = NewDisposeScope();
        transformer.RecomputedBlocks = setting.Recomputes ? transformer.Blocks : 0;
        transformer.WritesGradients = transformer.Device.type == DeviceType.CUDA;
        Tensor[] given = Inputs(transformer);
        List<long> begun = [];
        double loss = 0;
        using TrainingLoop loop = new(
            attached.Parameters.Select(p => p.Parameter), options, backward: transformer.Backward, names: [.. attached.Parameters.Select(p => p.Name)]);
        transformer.BlockIsBack = options.Group is null ? null : loop.BlockIsBack;
        loop.Run(
            number =>
            {
                if (number % options.AccumulationSteps == 0)
                {
                    if (begun.Count == warmUp)
                    {
                        Synchronize(transformer.Device);
                    }
                    begun.Add(Stopwatch.GetTimestamp());
                }
                return Loss(transformer, given, number);
            },
            new Last(p => loss = p.Loss));
        Synchronize(transformer.Device);
        begun.Add(Stopwatch.GetTimestamp());
        return ([.. begun.Zip(begun.Skip(1), Stopwatch.GetElapsedTime).Skip(warmUp).Select(t => t.TotalSeconds)], loss);
    }

    private static void Synchronize(Device device)
    {
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize(device);
        }
    }

    // As LoraTrainer's: noise and noise level of the step, both frames in the loss.
    private Tensor Loss(FluxTransformer transformer, Tensor[] given, long number)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator random = new((ulong)number);
        (Tensor latents, Tensor? condition, Tensor prompt, Tensor pooled) = (given[0], transformer.IsConditional ? given[1] : null, given[2], given[3]);
        Tensor noise = randn(latents.shape, generator: random).to(latents.device);
        Tensor sigma = rand(batch, generator: random).to(latents.device);
        Tensor noised = FlowMatching.Interpolate(latents, noise, sigma);
        Tensor velocity = transformer.forward(
            noised, condition, prompt, pooled, sigma, transformer.Config.GuidanceEmbeds ? ones(batch, device: latents.device) : null, given[4], given[5]);
        return FlowMatching.Loss(velocity, FlowMatching.Velocity(latents, noise)).MoveToOuterDisposeScope();
    }

    private Tensor[] Inputs(FluxTransformer transformer)
    {
        using Generator random = new(1);
        FluxConfig c = transformer.Config;
        Tensor Draw(ScalarType type, params long[] shape) => randn(shape, generator: random).to(type).to(transformer.Device);
        ScalarType own = transformer.DType;
        return
        [
            Draw(ScalarType.Float32, batch, image, c.InChannels), Draw(own, batch, image, c.InChannels),
            Draw(own, batch, text, c.JointAttentionDim), Draw(own, batch, c.PooledProjectionDim),
            // Where the tokens lie changes no time.
            LatentPacking.ImageIds(2, 2 * (int)image, transformer.Device), LatentPacking.TextIds((int)text, transformer.Device),
        ];
    }

    private sealed class Last(Action<TrainingProgress> take) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => take(value);
    }
}
