using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Gates;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Tests.Encoders;
using Dsd.Imaging;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests.Gates;

public sealed class EmbeddingGateTests(ExportedEncoders encoders) : IClassFixture<ExportedEncoders>
{
    private static readonly Picture[] Panels = [Pngs.Noisy(64, 64), Pngs.Noisy(96, 64), Pngs.Noisy(64, 96)];

    [Fact]
    public async Task TheSimilarity_IsTheCosine_AndEachPanelIsEncodedOnce()
    {
        Counting counting = new(encoders["dinov2"]);
        using EmbeddingGate gate = new(counting);

        double[] found =
        [
            await gate.SimilarityAsync(Panels[0], Panels[1]), await gate.SimilarityAsync(Panels[0], Panels[2]),
            await gate.SimilarityAsync(Panels[1], Panels[2]), await gate.SimilarityAsync(Panels[1], Panels[1]),
        ];

        float[][] embeddings = encoders["dinov2"].Encode(Panels);
        double[] expected =
        [
            Similarity.Cosine(embeddings[0], embeddings[1]), Similarity.Cosine(embeddings[0], embeddings[2]),
            Similarity.Cosine(embeddings[1], embeddings[2]), 1,
        ];
        Assert.Equal(expected, found, (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(3, counting.Encoded);
    }

    [Fact]
    public void TheName_TellsEncodersApart()
    {
        using EmbeddingGate one = EmbeddingGate.Open(encoders["dinov2"].Folder.Path);
        using EmbeddingGate other = EmbeddingGate.Open(encoders["dino"].Folder.Path);
        Assert.Equal($"dinov2:dinov2:{encoders["dinov2"].Folder.Fingerprint[..8]}", one.Name);
        Assert.StartsWith("dino:dino:", other.Name);
    }

    [Fact]
    public async Task Cancelling_EndsTheWork()
    {
        using EmbeddingGate gate = EmbeddingGate.Open(encoders["dino"].Folder.Path);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gate.SimilarityAsync(Panels[0], Panels[1], new CancellationToken(canceled: true)));
    }

    /// <summary>Counts the pictures that are encoded. It leaves the encoder open.</summary>
    private sealed class Counting(PictureEncoder encoder) : IPictureEncoder
    {
        public int Encoded { get; private set; }

        public EncoderFolder Folder => encoder.Folder;

        public float[][] Encode(IReadOnlyList<Picture> pictures, int batch = 16, CancellationToken cancellationToken = default)
        {
            Encoded += pictures.Count;
            return encoder.Encode(pictures, batch, cancellationToken);
        }

        public float[][] EncodeTexts(IReadOnlyList<string> texts, int batch = 64, CancellationToken cancellationToken = default) =>
            encoder.EncodeTexts(texts, batch, cancellationToken);

        public void Dispose()
        {
        }
    }
}
