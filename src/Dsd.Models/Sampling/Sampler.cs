using Dsd.Models.Autoencoder;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>What both pipelines share: noise, the Euler loop and decoding.</summary>
internal static class Sampler
{
    /// <summary>Pixels that the autoencoder works on at once: larger batches go in parts, to bound the memory.</summary>
    private const long PixelsAtOnce = 1 << 20;

    /// <summary>Noise for each seed, drawn on the CPU and packed: [batch, tokens, 4 · channels], float32.</summary>
    public static Tensor Noise(IEnumerable<long> seeds, int channels, int height, int width, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] latents = [.. seeds.Select(s => tensor(Sampling.Noise.Normal(s, channels * height * width), [channels, height, width]))];
        return LatentPacking.Pack(stack(latents)).to(device).MoveToOuterDisposeScope();
    }

    /// <summary>The noise level of every row in every step, step by step: [steps · batch]. The last sigma, 0, begins no step.</summary>
    public static Tensor Levels(float[] sigmas, long batch, Device device) => tensor(sigmas[..^1]).repeat_interleave(batch).to(device);

    /// <summary>Follows the velocity from noise to latents. Latents stay float32 throughout; the network's type is the velocity's affair.</summary>
    /// <param name="latents">[batch, tokens, channels] at the first sigma. They stay as they are.</param>
    /// <param name="sigmas">One more than there are steps, falling to 0.</param>
    /// <param name="velocity">The velocity [batch, tokens, channels] of latents in a step, counted from 0.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="onStep">Shown the latents after each step, and may replace them.</param>
    /// <param name="cancellationToken">Checked before each step and at the end.</param>
    public static Tensor Integrate(
        Tensor latents,
        float[] sigmas,
        Func<int, Tensor, Tensor> velocity,
        IProgress<SamplingProgress>? progress,
        Func<SamplingStep, Tensor?>? onStep,
        CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = latents.to(ScalarType.Float32);
        for (int i = 0; i + 1 < sigmas.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using DisposeScope step = NewDisposeScope();
            Tensor next = x + velocity(i, x).to(ScalarType.Float32) * (sigmas[i + 1] - sigmas[i]);
            if (onStep?.Invoke(new SamplingStep(i + 1, sigmas.Length - 1, sigmas[i + 1], next)) is { } given)
            {
                RequireShape(given, latents.shape, $"what {nameof(LatentOptions.OnStep)} returned after step {i + 1}");
                next = given.to(ScalarType.Float32, latents.device, copy: true);
            }
            if (!ReferenceEquals(x, latents))
            {
                x.Dispose();
            }
            x = next.MoveToOuterDisposeScope();
            progress?.Report(new SamplingProgress(i + 1, sigmas.Length - 1, sigmas[i]));
        }
        cancellationToken.ThrowIfCancellationRequested();
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>The latents to start from: those that are given, or those of the seeds.</summary>
    /// <exception cref="ArgumentException">Those that are given have another shape than the model draws.</exception>
    public static Tensor Initial(Tensor? given, IEnumerable<long> seeds, FluxModel model, int height, int width)
    {
        long[] seedList = [.. seeds];
        int channels = model.Vae.Config.LatentChannels;
        if (given is null)
        {
            return Noise(seedList, channels, height, width, model.Transformer.Device);
        }
        RequireShape(given, Tokens(seedList.Length, channels, height, width), nameof(LatentOptions.Initial));
        return given.detach().to(ScalarType.Float32, model.Transformer.Device, copy: true);
    }

    /// <summary>Images [batch, 3, height · factor, width · factor] in about −1…1 of packed latents of the given height and width.</summary>
    /// <exception cref="ArgumentException">The latents have another shape.</exception>
    public static Tensor Decode(AutoencoderKL vae, Tensor tokens, int height, int width)
    {
        RequireShape(tokens, Tokens(tokens.dim() > 0 ? tokens.shape[0] : 1, vae.Config.LatentChannels, height, width), "what is decoded");
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = vae.Unscale(LatentPacking.Unpack(tokens, height, width)).to(vae.DType()); // [batch, channels, height, width]
        Tensor[] parts = latents.split(CanvasesAtOnce(width * vae.Config.Factor, height * vae.Config.Factor), dim: 0);
        return cat([.. parts.Select(vae.Decode)], dim: 0).MoveToOuterDisposeScope();
    }

    /// <summary>How many canvases of a size the autoencoder takes at once, at least 1.</summary>
    public static int CanvasesAtOnce(int width, int height) => (int)Math.Max(1, PixelsAtOnce / ((long)width * height));

    /// <summary>The type of the autoencoder's weights.</summary>
    public static ScalarType DType(this AutoencoderKL vae) => vae.parameters().First().dtype;

    /// <summary>Refuses a side that does not come out as whole tokens.</summary>
    public static void RequireWholeTokens(FluxModel model, int width, int height)
    {
        if (width % model.TokenSide != 0 || height % model.TokenSide != 0)
        {
            throw new ArgumentException($"This model draws pictures whose sides are multiples of {model.TokenSide} pixels, but {width} × {height} was asked for.");
        }
    }

    /// <summary>The shape of packed latents: [batch, tokens, channels].</summary>
    private static long[] Tokens(long batch, int channels, int height, int width) => [batch, height / 2 * (width / 2), 4 * channels];

    /// <summary>Refuses latents of another shape.</summary>
    private static void RequireShape(Tensor latents, long[] shape, string what)
    {
        if (!latents.shape.SequenceEqual(shape))
        {
            throw new ArgumentException($"Latents: {what} must be [{string.Join(", ", shape)}] (batch, tokens, channels), but is [{string.Join(", ", latents.shape)}].");
        }
    }
}
