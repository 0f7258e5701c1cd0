namespace Dsd.Models.Sampling;

/// <summary>The sizes of what is drawn: a picture, its latent, and the tokens that a transformer sees.</summary>
public sealed record Canvas
{
    /// <summary>Works out the sizes.</summary>
    /// <param name="width">Width of the picture in pixels.</param>
    /// <param name="height">Height of the picture in pixels.</param>
    /// <param name="factor">Pixels a side that become one place of the latent.</param>
    /// <param name="channels">Channels of the latent.</param>
    /// <param name="patch">Places a side that become one token.</param>
    /// <exception cref="ArgumentException">The picture does not come out as whole tokens.</exception>
    public Canvas(int width, int height, int factor, int channels, int patch = LatentPacking.Patch)
    {
        int side = patch * factor;
        if (width % side != 0 || height % side != 0)
        {
            throw new ArgumentException($"This model draws pictures whose sides are multiples of {side} pixels, but {width} × {height} was asked for.");
        }
        (Width, Height, Channels, Patch) = (width, height, channels, patch);
        (LatentWidth, LatentHeight) = (width / factor, height / factor);
    }

    /// <summary>Width of the picture in pixels.</summary>
    public int Width { get; }

    /// <summary>Height of the picture in pixels.</summary>
    public int Height { get; }

    /// <summary>Channels of the latent.</summary>
    public int Channels { get; }

    /// <summary>Places a side that become one token.</summary>
    public int Patch { get; }

    /// <summary>Width of the latent.</summary>
    public int LatentWidth { get; }

    /// <summary>Height of the latent.</summary>
    public int LatentHeight { get; }

    /// <summary>Image tokens.</summary>
    public int Tokens => LatentWidth / Patch * (LatentHeight / Patch);

    /// <summary>Channels of a token.</summary>
    public int TokenChannels => Channels * Patch * Patch;

    /// <summary>Numbers in one latent, packed or not.</summary>
    public int LatentSize => Channels * LatentWidth * LatentHeight;

    /// <summary>How many such pictures an autoencoder takes at once, to bound the memory; at least 1.</summary>
    public int AtOnce => (int)Math.Max(1, PixelsAtOnce / ((long)Width * Height));

    private const long PixelsAtOnce = 1 << 20;
}
