using Dsd.Models.Families;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Cache;

/// <summary>The loss of held-out pairs at noise and noise levels that never change, so that two looks at it can be compared.</summary>
/// <param name="model">The model, with what lies over its network.</param>
/// <param name="options">Frames that count, guidance, seed and batch size.</param>
/// <param name="count">How many pairs there are.</param>
/// <param name="examples">Gives a pair by its number, as a batch of one.</param>
internal sealed class HeldOutLoss(DiffusionModel model, LoraTrainingOptions options, int count, BatchReader examples) : IDisposable
{
    private const int Levels = 8;

    /// <summary>The mean over all pairs and eight noise levels, the middles of eighths of 0…1. Nothing is left out of prompt and condition.</summary>
    public float Evaluate(CancellationToken cancellationToken = default)
    {
        using IDisposable noGrad = no_grad();
        double sum = 0;
        for (int pair = 0; pair < count; pair++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            ExampleBatch one = examples.Batch(pair);
            // The pair's number decides, not its place in a batch.
            using Generator random = new((ulong)(options.Seed * 1_000_003 + pair));
            Tensor noise = randn(one.Latents.shape, generator: random).to(one.Latents.device);
            foreach (float[] sigmas in Enumerable.Range(0, Levels).Select(i => (i + 0.5f) / Levels).Chunk(options.BatchSize))
            {
                sum += sigmas.Length * Loss(one, noise, sigmas);
            }
        }
        return (float)(sum / (Levels * (double)count));
    }

    /// <summary>Stops reading.</summary>
    public void Dispose() => examples.Dispose();

    private float Loss(ExampleBatch one, Tensor noise, float[] sigmas)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = Repeated(one.Latents);
        Tensor noises = Repeated(noise);
        Tensor sigma = tensor(sigmas, device: latents.device);
        Tensor velocity = model.Velocity(
            FlowMatching.Interpolate(latents, noises, sigma), Repeated(one.Condition), new PromptEmbedding([.. one.Prompt.Select(Repeated)]), sigma,
            options.Guidance, one.Canvas);
        Tensor target = FlowMatching.Velocity(latents, noises);
        return CanvasLoss.Of(velocity, target, one.Canvas, model.Frames, options.ReferenceWeight, options.TargetWeight).item<float>();

        Tensor Repeated(Tensor row) => row.expand([sigmas.Length, .. row.shape[1..]]).contiguous();
    }
}
