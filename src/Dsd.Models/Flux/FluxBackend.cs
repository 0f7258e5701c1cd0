using Dsd.Imaging;
using Dsd.Models.Imaging;
using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>A FLUX model as TorchSharp runs it.</summary>
internal sealed class FluxBackend(FluxModel model) : IModelBackend<Tensor>
{
    /// <inheritdoc/>
    public SchedulerConfig Schedule => model.Scheduler;

    /// <inheritdoc/>
    public FrameOrder Frames => FrameOrder.Beside;

    /// <inheritdoc/>
    public Canvas CanvasOf(int width, int height) => new(width, height, model.Vae.Config.Factor, model.Vae.Config.LatentChannels);

    /// <inheritdoc/>
    public Tensor FromTokens(float[] tokens, Canvas canvas)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(canvas);
        return tensor(tokens, [tokens.Length / canvas.LatentSize, canvas.Tokens, canvas.TokenChannels], device: model.Transformer.Device);
    }

    /// <inheritdoc/>
    public Tensor Encode(IReadOnlyList<Picture> pictures, Canvas canvas, IReadOnlyList<long>? seeds = null)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using IDisposable? vae = model.WithVae();
        List<Tensor> parts = [];
        for (int first = 0; first < pictures.Count; first += canvas.AtOnce)
        {
            using DisposeScope inner = NewDisposeScope();
            Picture[] some = [.. pictures.Skip(first).Take(canvas.AtOnce)];
            Tensor images = PictureTensors.FromPictures(some, model.Transformer.Device, model.Vae.DType); // [part, 3, height, width]
            (Tensor mean, Tensor logVariance) = model.Vae.Encode(images);
            Tensor latents = mean.to(ScalarType.Float32); // [part, channels, height / factor, width / factor]
            if (seeds is not null)
            {
                float[] numbers = [.. seeds.Skip(first).Take(some.Length).SelectMany(seed => Noise.ForCondition(seed, canvas.LatentSize))];
                latents = latents + (0.5 * logVariance.to(ScalarType.Float32)).exp() * tensor(numbers, latents.shape, device: latents.device);
            }
            parts.Add(LatentPacking.Pack(model.Vae.Scale(latents)).MoveToOuterDisposeScope());
        }
        return cat(parts, dim: 0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public IReadOnlyList<Picture> Decode(Tensor latents, Canvas canvas)
    {
        using DisposeScope scope = NewDisposeScope();
        return PictureTensors.ToPictures(DecodeImages(latents, canvas));
    }

    /// <summary>Images [batch, 3, height, width] in about −1…1 of packed latents.</summary>
    /// <exception cref="ArgumentException">The latents have another shape.</exception>
    public Tensor DecodeImages(Tensor latents, Canvas canvas)
    {
        RequireShape(latents, canvas, latents.dim() > 0 ? latents.shape[0] : 1, "what is decoded");
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using IDisposable? vae = model.WithVae();
        Tensor unpacked = model.Vae.Unscale(LatentPacking.Unpack(latents, canvas.LatentHeight, canvas.LatentWidth)).to(model.Vae.DType); // [batch, channels, height, width]
        return cat([.. unpacked.split(canvas.AtOnce, dim: 0).Select(model.Vae.Decode)], dim: 0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public IDenoiser<Tensor> Denoiser(DenoiserInputs<Tensor> inputs) => new FluxDenoiser(model, inputs);

    /// <summary>Makes the latents that a caller wants to start from, as copies; null where the seeds shall say.</summary>
    public Func<Canvas, Tensor>? Start(LatentOptions? latents, int batch) => latents?.Initial is not { } given ? null : canvas =>
    {
        RequireShape(given, canvas, batch, nameof(LatentOptions.Initial));
        return given.detach().to(ScalarType.Float32, model.Transformer.Device, copy: true);
    };

    /// <summary>Shows a caller the latents after each step; null where nobody looks.</summary>
    public static Func<int, float, Tensor, Tensor?>? Hook(LatentOptions? latents, int steps) => latents?.OnStep is not { } onStep ? null : (step, sigma, x) =>
    {
        if (onStep(new SamplingStep(step, steps, sigma, x)) is not { } given)
        {
            return null;
        }
        RequireShape(given, x.shape, $"what {nameof(LatentOptions.OnStep)} returned after step {step}");
        return given.to(ScalarType.Float32, x.device, copy: true);
    };

    private static void RequireShape(Tensor latents, Canvas canvas, long batch, string what) => RequireShape(latents, [batch, canvas.Tokens, canvas.TokenChannels], what);

    private static void RequireShape(Tensor latents, long[] shape, string what)
    {
        if (!latents.shape.SequenceEqual(shape))
        {
            throw new ArgumentException($"Latents: {what} must be [{string.Join(", ", shape)}] (batch, tokens, channels), but is [{string.Join(", ", latents.shape)}].");
        }
    }
}
