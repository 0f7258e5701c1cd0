using System.Globalization;
using Dsd.Curation.Grids;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Metrics;
using Dsd.MLNet;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Evaluation;

/// <summary>
/// Draws and judges pairs with the embedded model and measures them twice: with the stage CompareImages, and with ML.NET's own ApplyOnnxModel on the exported
/// encoder. Both give the same numbers.
/// </summary>
internal static class Program
{
    // A small DINO with random weights, for a look at how it is done: give the folder of a real one.
    private const string Checkpoint = "tests/fixtures-eval/dino";

    private static int Main(string[] args)
    {
        string checkpoint = args.Length > 0 ? args[0] : Checkpoint;
        if (!Directory.Exists(checkpoint))
        {
            Console.Error.WriteLine($"There is no folder '{checkpoint}'. Start in the repository's folder, or give an encoder's folder: Evaluation FOLDER.");
            return 1;
        }
        DirectoryInfo scratch = Directory.CreateTempSubdirectory("evaluation-");
        try
        {
            string encoder = Path.Combine(scratch.FullName, "encoder");
            EncoderExporter.Export(checkpoint, encoder, new EncoderExportOptions());
            Show(new MLContext(seed: 1), encoder);
            return 0;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static void Show(MLContext ml, string encoder)
    {
        IDataView captions = ml.Data.LoadFromEnumerable(new[]
        {
            new CaptionRow { Caption = "round green creature with white spots, cat ears, two big eyes and a big grin, wearing a red hat" },
            new CaptionRow { Caption = "square yellow toy with floppy ears, black dot eyes and a beak, wearing a green crown" },
        });
        VlmCuratorOptions judge = new() { IncludeRejected = true };
        IDataView pairs = ml.Transforms.DrawGrids(new GridGeneratorOptions { Layout = GridLayout.OneByTwo })
            .Append(ml.Transforms.JudgeGrids(judge))
            .AppendRowStore(ml)                                                  // else each column below would draw the grids again
            .Fit(captions).Transform(captions);

        float[][] references = Embedded(ml, encoder, pairs, "Reference");
        float[][] targets = Embedded(ml, encoder, pairs, "Target");
        IDataView measured = ml.Transforms.CompareImages("Similarity", encoder, "Reference", "Target").Fit(pairs).Transform(pairs);
        Console.WriteLine("similarity  by ApplyOnnxModel  kept   caption");
        foreach ((int i, PairRow row) in ml.Data.CreateEnumerable<PairRow>(measured, reuseRowObject: false).Index())
        {
            double own = Similarity.Cosine(references[i], targets[i]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row.Similarity,10:0.0000}  {own,17:0.0000}  {row.Kept,-5}  {row.Caption}"));
        }
    }

    /// <summary>What the encoder's network sees in a column's pictures, computed by ML.NET's own transform.</summary>
    private static float[][] Embedded(MLContext ml, string encoder, IDataView pairs, string column)
    {
        var chain = ml.Transforms.ExtractEncoderPixels(EncoderFolder.PixelsInput, encoder, column)
            .Append(ml.Transforms.ApplyOnnxModel(EncoderFolder.EmbeddingOutput, EncoderFolder.PixelsInput, EncoderFolder.Open(encoder).ImageModel));
        return [.. chain.Fit(pairs).Transform(pairs).GetColumn<float[]>(EncoderFolder.EmbeddingOutput)];
    }

    private sealed class CaptionRow
    {
        public string Caption { get; set; } = "";
    }

    private sealed class PairRow
    {
        public string Caption { get; set; } = "";

        public bool Kept { get; set; }

        public float Similarity { get; set; }
    }
}
