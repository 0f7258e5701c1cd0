using System.Runtime.CompilerServices;
using Dsd.Evaluation.Encoders;
using Dsd.Imaging;

namespace Dsd.Evaluation.Metrics;

/// <summary>An encoder that remembers the embeddings of pictures for as long as the pictures are held, so that several metrics ask for them once.</summary>
internal sealed class EmbeddingMemo(IPictureEncoder encoder) : IPictureEncoder
{
    private readonly ConditionalWeakTable<Picture, float[]> _known = [];
    private readonly ConditionalWeakTable<Picture, Picture> _mirrored = [];

    public EncoderFolder Folder => encoder.Folder;

    /// <summary>The picture mirrored: the same one each time, so that it is remembered too.</summary>
    public Picture Mirrored(Picture picture) => _mirrored.GetValue(picture, p => p.Mirror());

    public float[][] Encode(IReadOnlyList<Picture> pictures, int batch = 16, CancellationToken cancellationToken = default)
    {
        Picture[] unknown = [.. pictures.Distinct(ReferenceEqualityComparer.Instance).Cast<Picture>().Where(p => !_known.TryGetValue(p, out _))];
        foreach ((Picture picture, float[] embedding) in unknown.Zip(encoder.Encode(unknown, batch, cancellationToken)))
        {
            _known.AddOrUpdate(picture, embedding);
        }
        return [.. pictures.Select(p => _known.TryGetValue(p, out float[]? embedding) ? embedding : throw new KeyNotFoundException("A picture was lost."))];
    }

    public float[][] EncodeTexts(IReadOnlyList<string> texts, int batch = 64, CancellationToken cancellationToken = default) =>
        encoder.EncodeTexts(texts, batch, cancellationToken);

    public void Dispose() => encoder.Dispose();
}
