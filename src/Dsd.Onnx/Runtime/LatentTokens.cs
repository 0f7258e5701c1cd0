namespace Dsd.Onnx.Runtime;

/// <summary>Latents [channels, height, width] as tokens [height / 2 · width / 2, 4 · channels], two by two places a token, and back.</summary>
internal static class LatentTokens
{
    /// <summary>Packs one latent.</summary>
    public static void Pack(ReadOnlySpan<float> latent, int channels, int height, int width, Span<float> tokens)
    {
        for (int i = 0; i < latent.Length; i++)
        {
            tokens[Place(i, channels, height, width)] = latent[i];
        }
    }

    /// <summary>Unpacks one latent.</summary>
    public static void Unpack(ReadOnlySpan<float> tokens, int channels, int height, int width, Span<float> latent)
    {
        for (int i = 0; i < latent.Length; i++)
        {
            latent[i] = tokens[Place(i, channels, height, width)];
        }
    }

    private static int Place(int latentIndex, int channels, int height, int width)
    {
        int column = latentIndex % width;
        int row = latentIndex / width % height;
        int channel = latentIndex / width / height;
        int token = row / 2 * (width / 2) + column / 2;
        return token * 4 * channels + channel * 4 + row % 2 * 2 + column % 2;
    }
}
