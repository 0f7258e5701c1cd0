using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>What latents a sampling loop starts from, and who looks at them on the way.</summary>
public sealed record LatentOptions
{
    /// <summary>
    /// Latents [batch, tokens, channels] at the first sigma, which is pure noise, in place of those that the seeds give. They stay the caller's
    /// and as they are. Null, the default: from the seeds.
    /// </summary>
    public Tensor? Initial { get; init; }

    /// <summary>
    /// Called after each step, on the thread that generates. What it returns takes the place of the latents and is copied; null leaves them.
    /// Null, the default, calls nobody.
    /// </summary>
    public Func<SamplingStep, Tensor?>? OnStep { get; init; }

    /// <summary>Makes the latents that a caller wants to start from, as copies; null where the seeds shall say.</summary>
    internal static Func<Canvas, Tensor>? Start(LatentOptions? latents, int batch, Device device) => latents?.Initial is not { } given ? null : canvas =>
    {
        RequireShape(given, canvas, batch, nameof(Initial));
        return given.detach().to(ScalarType.Float32, device, copy: true);
    };

    /// <summary>Shows a caller the latents after each step; null where nobody looks.</summary>
    internal static Func<int, float, Tensor, Tensor?>? Hook(LatentOptions? latents, int steps) => latents?.OnStep is not { } onStep ? null : (step, sigma, x) =>
    {
        if (onStep(new SamplingStep(step, steps, sigma, x)) is not { } given)
        {
            return null;
        }
        RequireShape(given, x.shape, $"what {nameof(OnStep)} returned after step {step}");
        return given.to(ScalarType.Float32, x.device, copy: true);
    };

    /// <exception cref="ArgumentException">The latents are not those of so many such canvases.</exception>
    internal static void RequireShape(Tensor latents, Canvas canvas, long batch, string what) =>
        RequireShape(latents, [batch, canvas.Tokens, canvas.TokenChannels], what);

    private static void RequireShape(Tensor latents, long[] shape, string what)
    {
        if (!latents.shape.SequenceEqual(shape))
        {
            throw new ArgumentException(
                $"Latents: {what} must be [{string.Join(", ", shape)}] (batch, tokens, channels), but is [{string.Join(", ", latents.shape)}].");
        }
    }
}
