namespace Dsd.Onnx.Runtime;

/// <summary>The sizes of what is drawn: a picture, its latent and the latent's tokens.</summary>
internal sealed record Canvas
{
    public Canvas(OnnxManifest manifest, int width, int height)
    {
        int patch = 2 * manifest.VaeFactor;
        if (width % patch != 0 || height % patch != 0)
        {
            throw new ArgumentException($"This model draws pictures with sides that are multiples of {patch} pixels, but {width} × {height} was asked for.");
        }
        (Width, Height, Channels) = (width, height, manifest.LatentChannels);
        (LatentWidth, LatentHeight) = (width / manifest.VaeFactor, height / manifest.VaeFactor);
    }

    public int Width { get; }

    public int Height { get; }

    public int Channels { get; }

    public int LatentWidth { get; }

    public int LatentHeight { get; }

    /// <summary>Image tokens.</summary>
    public int Tokens => LatentWidth / 2 * (LatentHeight / 2);

    /// <summary>Numbers in one latent, packed or not.</summary>
    public int LatentSize => Channels * LatentWidth * LatentHeight;
}
