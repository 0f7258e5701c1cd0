using Dsd.Imaging;

namespace Dsd.Evaluation.Encoders;

/// <summary>Turns pictures, and for CLIP texts, into embeddings, whatever runs the network.</summary>
public interface IPictureEncoder : IDisposable
{
    /// <summary>The exported encoder.</summary>
    EncoderFolder Folder { get; }

    /// <summary>The embeddings of pictures, in their order.</summary>
    /// <param name="pictures">The pictures, of any size.</param>
    /// <param name="batch">At most how many are computed at once, 1 to 1024: memory for time.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="InvalidOperationException">The network could not be run, or it gave what are no numbers.</exception>
    float[][] Encode(IReadOnlyList<Picture> pictures, int batch = 16, CancellationToken cancellationToken = default);

    /// <summary>The embeddings of texts, in their order. Longer texts than the network takes are cut off, with a warning.</summary>
    /// <param name="texts">The texts; they may be empty.</param>
    /// <param name="batch">At most how many are computed at once, 1 to 1024.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="NotSupportedException">The encoder has no network for texts.</exception>
    float[][] EncodeTexts(IReadOnlyList<string> texts, int batch = 64, CancellationToken cancellationToken = default);
}
