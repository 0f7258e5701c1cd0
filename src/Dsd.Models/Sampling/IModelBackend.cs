using Dsd.Imaging;

namespace Dsd.Models.Sampling;

/// <summary>A model as a backend runs it: what sampling needs beside the denoiser.</summary>
/// <typeparam name="T">The backend's tensors. They may lie on a device.</typeparam>
public interface IModelBackend<T>
    where T : class, IDisposable
{
    /// <summary>How noise levels are spaced.</summary>
    SchedulerConfig Schedule { get; }

    /// <summary>How reference and result lie on a canvas.</summary>
    FrameOrder Frames { get; }

    /// <summary>The sizes of a picture that the model draws.</summary>
    /// <exception cref="ArgumentException">The picture does not come out as whole tokens.</exception>
    Canvas CanvasOf(int width, int height);

    /// <summary>Latents in the backend's hands.</summary>
    /// <param name="tokens">Packed numbers of all pictures, one after another.</param>
    /// <param name="canvas">The size of each.</param>
    T FromTokens(float[] tokens, Canvas canvas);

    /// <summary>Pictures as packed latents, scaled as the transformer takes them: [batch, tokens, channels].</summary>
    /// <param name="pictures">All of the canvas's size.</param>
    /// <param name="canvas">The size.</param>
    /// <param name="seeds">Draws latents from the encoder's distribution, by these seeds; null takes its mode.</param>
    /// <param name="cancellationToken">Looked at between pictures that are encoded together, at least.</param>
    T Encode(IReadOnlyList<Picture> pictures, Canvas canvas, IReadOnlyList<long>? seeds = null, CancellationToken cancellationToken = default);

    /// <summary>The pictures of packed latents, which stay the caller's.</summary>
    /// <param name="latents">[batch, tokens, channels].</param>
    /// <param name="canvas">The size of each picture.</param>
    /// <param name="cancellationToken">Looked at between pictures that are decoded together, at least.</param>
    IReadOnlyList<Picture> Decode(T latents, Canvas canvas, CancellationToken cancellationToken = default);

    /// <summary>A denoiser for a batch; the caller disposes it.</summary>
    IDenoiser<T> Denoiser(DenoiserInputs<T> inputs);
}
