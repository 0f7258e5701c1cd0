using System.Numerics.Tensors;
using Dsd.Imaging;
using Dsd.Models.Sampling;

namespace Dsd.Onnx.Runtime;

/// <summary>Pictures to latent tokens and back, through the exported autoencoder.</summary>
internal sealed class PictureCodec(OnnxSessions sessions, OnnxManifest manifest)
{
    private const float Black = -1f;

    // Larger batches go through in parts, to bound the memory.
    private const int PixelsAtOnce = 1 << 20;

    /// <summary>The condition tokens of every request: its reference in the left half of the canvas, black in the right.</summary>
    public float[] EncodeReferences(IReadOnlyList<DsdRequest> requests, Canvas canvas, bool sample)
    {
        float[] tokens = new float[requests.Count * canvas.LatentSize];
        foreach ((int first, int count) in Parts(requests.Count, canvas))
        {
            using OnnxTensor image = Canvases([.. requests.Skip(first).Take(count)], canvas);
            IReadOnlyList<OnnxTensor> moments = sessions.Run("vae_encoder", ("image", image));
            using OnnxTensor mean = moments[0];
            using OnnxTensor logVariance = moments[1];
            for (int i = 0; i < count; i++)
            {
                Span<float> latent = mean.Floats.Slice(i * canvas.LatentSize, canvas.LatentSize);
                if (sample)
                {
                    AddNoise(latent, logVariance.Floats.Slice(i * canvas.LatentSize, canvas.LatentSize), requests[first + i].Seed);
                }
                foreach (ref float value in latent)
                {
                    value = (value - manifest.ShiftFactor) * manifest.ScalingFactor;
                }
                LatentTokens.Pack(latent, canvas.Channels, canvas.LatentHeight, canvas.LatentWidth, tokens.AsSpan((first + i) * canvas.LatentSize, canvas.LatentSize));
            }
        }
        return tokens;
    }

    /// <summary>The pictures of latent tokens.</summary>
    public IReadOnlyList<Picture> Decode(float[] tokens, Canvas canvas)
    {
        int plane = 3 * canvas.Width * canvas.Height;
        List<Picture> pictures = [];
        foreach ((int first, int count) in Parts(tokens.Length / canvas.LatentSize, canvas))
        {
            using OnnxTensor image = DecodeImage(tokens.AsSpan(first * canvas.LatentSize, count * canvas.LatentSize), canvas);
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
    public OnnxTensor DecodeImage(ReadOnlySpan<float> tokens, Canvas canvas)
    {
        int count = tokens.Length / canvas.LatentSize;
        float[] latents = new float[tokens.Length];
        for (int start = 0; start < tokens.Length; start += canvas.LatentSize)
        {
            LatentTokens.Unpack(
                tokens.Slice(start, canvas.LatentSize), canvas.Channels, canvas.LatentHeight, canvas.LatentWidth, latents.AsSpan(start, canvas.LatentSize));
        }
        foreach (ref float value in latents.AsSpan())
        {
            value = value / manifest.ScalingFactor + manifest.ShiftFactor;
        }
        using OnnxTensor latent = OnnxTensor.Of(latents, count, canvas.Channels, canvas.LatentHeight, canvas.LatentWidth);
        return sessions.Run("vae_decoder", ("latent", latent))[0];
    }

    private static IEnumerable<(int First, int Count)> Parts(int count, Canvas canvas)
    {
        int most = Math.Max(1, PixelsAtOnce / (canvas.Width * canvas.Height));
        for (int first = 0; first < count; first += most)
        {
            yield return (first, Math.Min(most, count - first));
        }
    }

    /// <summary>[batch, 3, height, width] in −1…1: references on the left, black on the right.</summary>
    private static OnnxTensor Canvases(DsdRequest[] requests, Canvas canvas)
    {
        int plane = 3 * canvas.Width * canvas.Height;
        float[] image = new float[requests.Length * plane];
        Array.Fill(image, Black);
        for (int i = 0; i < requests.Length; i++)
        {
            CopyLeft(requests[i].Reference.CropToFit(canvas.Width / 2, canvas.Height), image.AsSpan(i * plane, plane), canvas);
        }
        return OnnxTensor.Of(image, requests.Length, 3, canvas.Height, canvas.Width);
    }

    private static void AddNoise(Span<float> mean, ReadOnlySpan<float> logVariance, long seed)
    {
        float[] noise = Noise.ForCondition(seed, mean.Length);
        for (int i = 0; i < mean.Length; i++)
        {
            mean[i] += MathF.Exp(0.5f * logVariance[i]) * noise[i];
        }
    }

    private static void CopyLeft(Picture picture, Span<float> image, Canvas canvas)
    {
        ReadOnlySpan<byte> pixels = picture.Pixels;
        for (int channel = 0; channel < 3; channel++)
        {
            for (int y = 0; y < picture.Height; y++)
            {
                Span<float> row = image.Slice((channel * canvas.Height + y) * canvas.Width, picture.Width);
                for (int x = 0; x < row.Length; x++)
                {
                    row[x] = pixels[3 * (y * picture.Width + x) + channel] / 127.5f - 1f;
                }
            }
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
