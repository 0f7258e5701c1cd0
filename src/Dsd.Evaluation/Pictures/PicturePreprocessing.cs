using Dsd.Common.Options;
using Dsd.Imaging;

namespace Dsd.Evaluation.Pictures;

/// <summary>What becomes of a picture before a network sees it: scaled, cut to the middle, normalised.</summary>
public sealed record PicturePreprocessing
{
    private const int Channels = 3;

    /// <summary>
    /// The length that the shortest side is scaled to, at least as long as the part that is cut out. Null: the whole picture is scaled to that part's size,
    /// whatever its aspect ratio.
    /// </summary>
    public int? ShortestSide { get; init => field = OptionCheck.RangeOrNull(value, 1, 4096, nameof(ShortestSide)); }

    /// <summary>Width in pixels that the network takes, 1 to 4096.</summary>
    public required int Width { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Width)); }

    /// <summary>Height in pixels that the network takes, 1 to 4096.</summary>
    public required int Height { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Height)); }

    /// <summary>Whose arithmetic scales it.</summary>
    public required Resampling Resampling { get; init => field = OptionCheck.Defined(value, nameof(Resampling)); }

    /// <summary>Where the middle begins when an odd number of pixels is left over.</summary>
    public CropRounding CropRounding { get; init => field = OptionCheck.Defined(value, nameof(CropRounding)); }

    /// <summary>What is taken from red, green and blue, where 1 is white: three numbers.</summary>
    public required IReadOnlyList<float> Mean { get; init => field = Three(value, nameof(Mean), float.MinValue); }

    /// <summary>What red, green and blue are divided by after that: three numbers above 0.</summary>
    public required IReadOnlyList<float> Deviation { get; init => field = Three(value, nameof(Deviation), float.Epsilon); }

    /// <summary>Checks the options against each other.</summary>
    /// <exception cref="ArgumentException">The part that is cut out is larger than the scaled picture may be.</exception>
    public void Validate()
    {
        if (ShortestSide < Math.Max(Width, Height))
        {
            throw new ArgumentException(
                $"Option {nameof(ShortestSide)} must be at least {nameof(Width)} and {nameof(Height)} ({Width} and {Height}), but is {ShortestSide}.");
        }
    }

    /// <summary>The picture in bytes, scaled and cut, as the network sees it.</summary>
    /// <exception cref="InvalidOperationException">It is scaled in real numbers, so that there are no such bytes.</exception>
    public Picture Resized(Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        return Resampling != Resampling.TorchvisionFloats
            ? Part(picture).Bytes(picture, Resampling == Resampling.TorchvisionBytes)
            : throw new InvalidOperationException($"With {nameof(Resampling)} {Resampling} a picture is not rounded to bytes. Ask for its numbers.");
    }

    /// <summary>The numbers that the network takes: [3, height, width].</summary>
    public float[] Numbers(Picture picture)
    {
        float[] numbers = new float[Channels * Height * Width];
        Write(picture, numbers);
        return numbers;
    }

    /// <summary>Writes the numbers that the network takes: [3, height, width].</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="numbers">As many as there are.</param>
    public void Write(Picture picture, Span<float> numbers)
    {
        ArgumentNullException.ThrowIfNull(picture);
        int area = Height * Width;
        if (numbers.Length != Channels * area)
        {
            throw new ArgumentException($"A picture is {Channels * area} numbers here, but there is room for {numbers.Length}.", nameof(numbers));
        }
        if (Resampling == Resampling.TorchvisionFloats)
        {
            float[] scaled = Part(picture).Floats(picture);
            for (int i = 0; i < numbers.Length; i++)
            {
                int channel = i / area;
                numbers[i] = (scaled[i % area * Channels + channel] - Mean[channel]) / Deviation[channel];
            }
            return;
        }
        ReadOnlySpan<byte> bytes = Resized(picture).Pixels;
        for (int i = 0; i < numbers.Length; i++)
        {
            int channel = i / area;
            numbers[i] = (bytes[i % area * Channels + channel] / 255f - Mean[channel]) / Deviation[channel];
        }
    }

    private AntialiasedResize Part(Picture picture)
    {
        Validate();
        if (ShortestSide is not { } shortest)
        {
            return new AntialiasedResize(Width, Height, 0, 0, Width, Height);
        }
        // Both libraries cut off the longer side's fraction.
        (int width, int height) = picture.Width <= picture.Height
            ? (shortest, (int)((long)shortest * picture.Height / picture.Width))
            : ((int)((long)shortest * picture.Width / picture.Height), shortest);
        return new AntialiasedResize(width, height, Margin(width - Width), Margin(height - Height), Width, Height);
    }

    private int Margin(int left) => CropRounding == CropRounding.Even && left % 4 == 3 ? left / 2 + 1 : left / 2;

    private static float[] Three(IReadOnlyList<float> value, string option, float least)
    {
        ArgumentNullException.ThrowIfNull(value, option);
        return value.Count == Channels && value.All(v => float.IsFinite(v) && v >= least)
            ? [.. value]
            : throw new ArgumentException(
                $"Option {option} must be {Channels} numbers{(least > 0 ? " above 0" : "")}, but is {string.Join(", ", value)}.", option);
    }
}
