using Dsd.Imaging;

namespace Dsd.Models.Sampling;

/// <summary>The sampling loop: Euler's method along the velocity, from noise to latents, for every backend and model.</summary>
public static class Sampler
{
    /// <summary>Follows the velocity. Latents stay in 32 bits throughout; the network's type is the denoiser's affair.</summary>
    /// <param name="denoiser">Predicts velocities.</param>
    /// <param name="latents">[batch, tokens, channels] at the first sigma. They are used up.</param>
    /// <param name="sigmas">One more than there are steps, falling to 0.</param>
    /// <param name="guidance">How passes become one velocity.</param>
    /// <param name="onStep">Shown the latents after each step, with the number of steps done and the sigma that they now have; gives what takes
    /// their place, or null.</param>
    /// <param name="progress">Called after each step.</param>
    /// <param name="cancellationToken">Checked before each step and at the end.</param>
    /// <param name="decode">Makes pictures of latents, for <see cref="SamplingProgress.Preview"/>; they stay the loop's. Null, the default: none.</param>
    /// <returns>The latents at the last sigma.</returns>
    public static T Integrate<T>(
        IDenoiser<T> denoiser,
        T latents,
        IReadOnlyList<float> sigmas,
        TrueGuidance guidance,
        Func<int, float, T, T?>? onStep = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default,
        Func<T, IReadOnlyList<Picture>>? decode = null)
        where T : class, IDisposable
    {
        T x = latents;
        try
        {
            int steps = sigmas.Count - 1;
            for (int i = 0; i < steps; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using T velocity = guidance.Combine(denoiser, denoiser.Velocities(x, i, guidance.PassesAt(i)));
                x = denoiser.AddScaled(x, sigmas[i + 1] - sigmas[i], velocity);
                if (onStep?.Invoke(i + 1, sigmas[i + 1], x) is { } given)
                {
                    x.Dispose();
                    x = given;
                }
                if (progress is not null)
                {
                    float left = sigmas[i + 1];
                    T now = x;
                    using OpenStep? step = decode is null ? null : new(() =>
                    {
                        using T guess = denoiser.PlusScaled(now, -left, velocity);
                        return decode(guess);
                    });
                    progress.Report(new SamplingProgress(i + 1, steps, sigmas[i]) { Guess = step is null ? null : step.Guess });
                }
            }
            cancellationToken.ThrowIfCancellationRequested();
            return x;
        }
        catch
        {
            x.Dispose();
            throw;
        }
    }

    /// <summary>A step whose tensors are there: previews are made of them until it is closed, by whichever thread asks.</summary>
    private sealed class OpenStep(Func<IReadOnlyList<Picture>> guess) : IDisposable
    {
        private readonly Lock _gate = new();
        private bool _closed;

        public IReadOnlyList<Picture>? Guess()
        {
            lock (_gate)
            {
                return _closed ? null : guess();
            }
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _closed = true;
            }
        }
    }
}
