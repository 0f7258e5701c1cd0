using System.Numerics.Tensors;
using Dsd.Imaging;
using Dsd.Models.Sampling;

namespace Dsd.Onnx.Runtime;

/// <summary>Pictures to latent tokens and back, through the exported autoencoder.</summary>
internal sealed class PictureCodec(OnnxSessions sessions, OnnxManifest manifest)
{
    /// <summary>Pictures of the canvas's size as packed and scaled latents; with seeds they are drawn from the encoder's distribution.</summary>
    public OnnxTensor Encode(IReadOnlyList<Picture> pictures, Canvas canvas, IReadOnlyList<long>? seeds, CancellationToken cancellationToken)
    {
        float[] tokens = new float[pictures.Count * canvas.LatentSize];
        foreach ((int first, int count) in Parts(pictures.Count, canvas))
        {
            using OnnxTensor image = Images([.. pictures.Skip(first).Take(count)], canvas);
            IReadOnlyList<OnnxTensor> moments = sessions.Run("vae_encoder", [("image", image)], cancellationToken);
            using OnnxTensor mean = moments[0];
            using OnnxTensor logVariance = moments[1];
            for (int i = 0; i < count; i++)
            {
                Span<float> latent = mean.Floats.Slice(i * canvas.LatentSize, canvas.LatentSize);
                if (seeds is not null)
                {
                    AddNoise(latent, logVariance.Floats.Slice(i * canvas.LatentSize, canvas.LatentSize), seeds[first + i]);
                }
                foreach (ref float value in latent)
                {
                    value = (value - manifest.ShiftFactor) * manifest.ScalingFactor;
                }
                LatentPacking.Pack(latent, canvas, tokens.AsSpan((first + i) * canvas.LatentSize, canvas.LatentSize));
            }
        }
        return OnnxTensor.Of(tokens, pictures.Count, canvas.Tokens, canvas.TokenChannels);
    }

    /// <summary>The pictures of latent tokens.</summary>
    public IReadOnlyList<Picture> Decode(ReadOnlySpan<float> tokens, Canvas canvas, CancellationToken cancellationToken)
    {
        int plane = 3 * canvas.Width * canvas.Height;
        List<Picture> pictures = [];
        foreach ((int first, int count) in Parts(tokens.Length / canvas.LatentSize, canvas))
        {
            using OnnxTensor image = DecodeImage(
                tokens.Slice(first * canvas.LatentSize, count * canvas.LatentSize), canvas, cancellationToken);
            if (float.IsNaN(TensorPrimitives.Max<float>(image.Floats)))
            {
                throw new InvalidDataException("The decoder gave numbers that are none (NaN): the exported weights are damaged. Export the model again.");
            }
            for (int i = 0; i < count; i++)
            {
                pictures.Add(ToPicture(image.Floats.Slice(i * plane, plane), canvas));
            }
        }
        return pictures;
    }

    /// <summary>The decoder's own numbers [batch, 3, height, width], about −1…1; the caller disposes them.</summary>
    public OnnxTensor DecodeImage(ReadOnlySpan<float> tokens, Canvas canvas, CancellationToken cancellationToken = default)
    {
        int count = tokens.Length / canvas.LatentSize;
        float[] latents = new float[tokens.Length];
        for (int start = 0; start < tokens.Length; start += canvas.LatentSize)
        {
            LatentPacking.Unpack(tokens.Slice(start, canvas.LatentSize), canvas, latents.AsSpan(start, canvas.LatentSize));
        }
        foreach (ref float value in latents.AsSpan())
        {
            value = value / manifest.ScalingFactor + manifest.ShiftFactor;
        }
        using OnnxTensor latent = OnnxTensor.Of(latents, count, canvas.Channels, canvas.LatentHeight, canvas.LatentWidth);
        return sessions.Run("vae_decoder", [("latent", latent)], cancellationToken)[0];
    }

    private static IEnumerable<(int First, int Count)> Parts(int count, Canvas canvas)
    {
        for (int first = 0; first < count; first += canvas.AtOnce)
        {
            yield return (first, Math.Min(canvas.AtOnce, count - first));
        }
    }

    /// <summary>[batch, 3, height, width] in −1…1.</summary>
    private static OnnxTensor Images(IReadOnlyList<Picture> pictures, Canvas canvas)
    {
        int plane = canvas.Width * canvas.Height;
        float[] image = new float[3 * pictures.Count * plane];
        for (int i = 0; i < pictures.Count; i++)
        {
            ReadOnlySpan<byte> pixels = pictures[i].Pixels;
            for (int channel = 0; channel < 3; channel++)
            {
                Span<float> values = image.AsSpan((3 * i + channel) * plane, plane);
                for (int pixel = 0; pixel < plane; pixel++)
                {
                    values[pixel] = pixels[3 * pixel + channel] / 127.5f - 1f;
                }
            }
        }
        return OnnxTensor.Of(image, pictures.Count, 3, canvas.Height, canvas.Width);
    }

    private static void AddNoise(Span<float> mean, ReadOnlySpan<float> logVariance, long seed)
    {
        float[] noise = Noise.ForCondition(seed, mean.Length);
        for (int i = 0; i < mean.Length; i++)
        {
            mean[i] += MathF.Exp(0.5f * logVariance[i]) * noise[i];
        }
    }

    private static Picture ToPicture(ReadOnlySpan<float> image, Canvas canvas)
    {
        int plane = canvas.Width * canvas.Height;
        byte[] pixels = new byte[3 * plane];
        for (int i = 0; i < plane; i++)
        {
            for (int channel = 0; channel < 3; channel++)
            {
                float value = Math.Clamp(image[channel * plane + i] / 2f + 0.5f, 0f, 1f);
                pixels[3 * i + channel] = (byte)MathF.Round(value * 255f);
            }
        }
        return new Picture(canvas.Width, canvas.Height, pixels);
    }
}
