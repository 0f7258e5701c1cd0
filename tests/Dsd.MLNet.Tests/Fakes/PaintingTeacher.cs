using Dsd.Imaging;
using Dsd.Models.Sampling;

namespace Dsd.MLNet.Tests.Fakes;

/// <summary>Paints each grid in one colour that comes from its prompt and seed, and counts what it was asked for.</summary>
internal sealed class PaintingTeacher : ITextToImageModel
{
    public List<IReadOnlyList<TextToImageRequest>> Batches { get; } = [];

    public bool Disposed { get; private set; }

    public Action<CancellationToken>? While { get; init; }

    public static Picture Paint(string text, long seed, int width, int height)
    {
        byte[] pixels = new byte[3 * width * height];
        uint hash = (uint)seed;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 16777619;
        }
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)((hash >> (8 * (i % 3))) + i / 3 % width);
        }
        return new Picture(width, height, pixels);
    }

    public IReadOnlyList<Picture> Generate(
        IReadOnlyList<TextToImageRequest> requests, TextToImageOptions options, IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Disposed, this);
        Batches.Add(requests);
        While?.Invoke(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        progress?.Report(new SamplingProgress(options.Steps, options.Steps, 0));
        return [.. requests.Select(r => Paint(r.Prompt, r.Seed, options.Width, options.Height))];
    }

    public void Dispose() => Disposed = true;
}
