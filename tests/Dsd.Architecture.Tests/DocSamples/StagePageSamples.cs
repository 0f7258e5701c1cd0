using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Dataset.Formats;
using Dsd.Evaluation.Encoders;
using Dsd.MLNet;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Microsoft.Extensions.AI;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using static TorchSharp.torch;

namespace Dsd.Architecture.Tests.DocSamples;

/// <summary>What the pages of docs/stages show, compiled here.</summary>
internal static class StagePageSamples
{
    public static void DrawGrids()
    {
        MLContext ml = new(seed: 1);
        IDataView captions = ml.Data.LoadFromEnumerable([new Subject { Caption = "square yellow toy with floppy ears, black dot eyes and a beak" }]);
        using GridGeneratorTransformer teacher = ml.Transforms.DrawGrids("Grid", "Caption").Fit(captions);
        foreach (GridRow row in ml.Data.CreateEnumerable<GridRow>(teacher.Transform(captions), reuseRowObject: false))
        {
            Console.WriteLine(row.GridPrompt);
            row.Grid.Save("grid.png");
        }
    }

    public static GridGenerator DrawGridsOfFlux(MLContext ml, IChatClient languageModel)
    {
        ChatClients.Register("writer", () => languageModel);             // any IChatClient; without PromptClient: templates alone
        GridGeneratorOptions options = new()
        {
            Model = "FLUX.1-dev",                                        // a folder in diffusers' layout
            Device = "cuda",
            Torch = new PipelineOptions { DType = ScalarType.BFloat16, Memory = MemoryMode.IdleOnHost },
            Sampling = new TextToImageOptions { Steps = 20 },            // what is left out: 1024 × 1024, guidance 3.5
            PromptClient = "writer",
            Count = 4,                                                   // four grids a caption
            BadRows = BadRows.Skip,
        };
        return ml.Transforms.DrawGrids(options);
    }

    public static void JudgeGrids()
    {
        MLContext ml = new(seed: 1);
        IDataView captions = ml.Data.LoadFromEnumerable([new Subject { Caption = "square yellow toy with floppy ears, black dot eyes and a beak" }]);
        using var curator = ml.Transforms.DrawGrids(new GridGeneratorOptions { Layout = GridLayout.OneByTwo })
            .Append(ml.Transforms.JudgeGrids(new VlmCuratorOptions { IncludeRejected = true, BadRows = BadRows.Mark }))
            .Fit(captions);
        foreach (JudgedPair pair in ml.Data.CreateEnumerable<JudgedPair>(curator.Transform(captions), reuseRowObject: false))
        {
            Console.WriteLine(pair.Error.Length > 0 ? pair.Error : $"{pair.Kept} {pair.Confidence:0.00} {pair.Reason} | {pair.Prompt}");
        }
    }

    public static VlmCurator JudgeGridsByAModel(MLContext ml, IChatClient visionModel)
    {
        ChatClients.Register("judge", () => visionModel);                // any IChatClient that takes pictures
        VlmCuratorOptions options = new()
        {
            Judge = "judge",                                             // the name is saved with the model
            Judging = new PairJudgeOptions { Threshold = 0.9, Concurrency = 32, RejectedFlags = ["near_copy"] },
            BadRows = BadRows.Skip,
        };
        return ml.Transforms.JudgeGrids(options);
    }

    public static void FineTune()
    {
        MLContext ml = new(seed: 1);
        ml.Log += (_, e) => Console.Write(e.Kind == ChannelMessageKind.Info ? e.RawMessage + "\n" : "");
        IDataView pairs = ml.Data.LoadSubjects("photos");                // any view with Reference, Target and Prompt
        LoraFineTunerOptions options = new() { Training = new LoraTrainingOptions { Steps = 20, ReportEvery = 10 } };
        using LoraFineTunerTransformer tuned = ml.Transforms.FineTuneLora(options).Fit(pairs);
        tuned.Adapter.Save("adapter.safetensors");
    }

    public static void Generate()
    {
        MLContext ml = new(seed: 1);
        Request toy = new() { Reference = MLImage.CreateFromFile("reference.png"), Prompt = "this creature waving in the snow at night, seen from near" };
        IDataView references = ml.Data.LoadFromEnumerable([toy]);
        using DsdGeneratorTransformer student = ml.Transforms.GenerateImages("Generated", "Reference", "Prompt").Fit(references);
        using var engine = ml.Model.CreatePredictionEngine<Request, Drawn>(student);
        engine.Predict(toy).Generated.Save("drawn.png");
        ml.Model.Save(student, references.Schema, "student.zip");        // the adapter is in it
    }

    public static void Embed()
    {
        EncoderExporter.Export("dinov2-small", "encoders/dinov2");       // once; a folder as it was fetched
        MLContext ml = new(seed: 1);
        IDataView pairs = ml.Data.LoadSubjects("photos");
        using ImageEmbeddingTransformer embedding = ml.Transforms.EmbedImages("Embedding", "encoders/dinov2", "Target").Fit(pairs);
        float[][] vectors = [.. embedding.Transform(pairs).GetColumn<float[]>("Embedding")];
    }

    public static void Compare()
    {
        MLContext ml = new(seed: 1);
        IDataView pairs = ml.Data.LoadSubjects("photos");
        ImageSimilarityOptions options = new()
        {
            Encoder = "encoders/dinov2",
            GeneratedColumn = "Target",
            CopyPasteColumn = "CopyPaste",                               // null, the default: no such column
            NearCopyColumn = "NearCopy",
        };
        using ImageSimilarityTransformer similarity = ml.Transforms.CompareImages(options).Fit(pairs);
        foreach (ComparedRow row in ml.Data.CreateEnumerable<ComparedRow>(similarity.Transform(pairs), reuseRowObject: false))
        {
            Console.WriteLine($"{row.Similarity:0.000} {row.CopyPaste:0.00} {row.NearCopy} {row.ReferencePath} {row.TargetPath}");
        }
    }

    public static void CompareWithText()
    {
        MLContext ml = new(seed: 1);
        IDataView pairs = ml.Data.LoadSubjects("photos");                // photos/ada/1.txt, where it is there, is the prompt of photos/ada/1.jpg
        using TextSimilarityTransformer similarity = ml.Transforms.CompareImagesWithText("ClipT", "encoders/clip", "Target", "Prompt").Fit(pairs);
        float clipT = similarity.Transform(pairs).GetColumn<float>("ClipT").Average();
    }

    public static void Keep()
    {
        MLContext ml = new(seed: 1);
        IDataView captions = ml.Data.LoadFromEnumerable([new Subject { Caption = "square yellow toy with floppy ears, black dot eyes and a beak" }]);
        using var chain = ml.Transforms.DrawGrids("Grid", "Caption").AppendRowStore(ml, "rows").Fit(captions);
        IDataView grids = chain.Transform(captions);
        int drawn = grids.GetColumn<MLImage>("Grid").Count();            // draws, and keeps each row in the folder 'rows'
        int read = grids.GetColumn<MLImage>("Grid").Count();             // draws nothing; nor does the next run of this program
        IDataView mixed = ml.Data.ShuffleStoredRows(grids, seed: 2);     // images included
    }

    public static void LoadPairs(MLContext ml)
    {
        PairsLoaderOptions options = new() { Dataset = new PairDatasetOptions { Split = "train" } };
        IDataView pairs = ml.Data.LoadPairs("pairs", options);           // 'dsd dataset write RUN --format parquet --out pairs' wrote it
        long kept = pairs.GetColumn<string>("Prompt").LongCount();       // reads no picture
        var tuned = ml.Transforms.FineTuneLora("Adapter").Fit(pairs);
    }

    public static void LoadSubjects()
    {
        MLContext ml = new();
        SubjectsLoaderOptions options = new() { Ordered = false, MaxPairsPerSubject = 100 };
        IDataView pairs = ml.Data.LoadSubjects("photos", options);       // photos/ada/1.jpg, photos/ada/2.jpg, photos/bob/…
        foreach (SubjectRow row in ml.Data.CreateEnumerable<SubjectRow>(pairs, reuseRowObject: false))
        {
            Console.WriteLine($"{row.Subject}: {row.ReferencePath} and {row.TargetPath}, '{row.Prompt}', {row.Target.Width} pixels wide");
        }
    }

    internal sealed class Subject
    {
        public string Caption { get; set; } = "";
    }

    internal sealed class GridRow
    {
        public string GridPrompt { get; set; } = "";
        public string[] PanelCaptions { get; set; } = [];
        [ImageType(256, 256)]                                            // height and width of a grid
        public MLImage Grid { get; set; } = null!;
    }

    internal sealed class JudgedPair
    {
        [ImageType(128, 128)]                                            // height and width of a panel
        public MLImage Reference { get; set; } = null!;
        [ImageType(128, 128)]
        public MLImage Target { get; set; } = null!;
        public string Prompt { get; set; } = "";
        public bool Kept { get; set; }
        public float Confidence { get; set; }
        public string Reason { get; set; } = "";
        public string Error { get; set; } = "";
    }

    internal sealed class Request
    {
        [ImageType(128, 128)]
        public MLImage Reference { get; set; } = null!;
        public string Prompt { get; set; } = "";
    }

    internal sealed class Drawn
    {
        [ImageType(128, 128)]
        public MLImage Generated { get; set; } = null!;
    }

    internal sealed class ComparedRow
    {
        public string ReferencePath { get; set; } = "";
        public string TargetPath { get; set; } = "";
        public float Similarity { get; set; }
        public float CopyPaste { get; set; }
        public bool NearCopy { get; set; }
    }

    internal sealed class SubjectRow
    {
        public MLImage Target { get; set; } = null!;
        public string Subject { get; set; } = "";
        public string Prompt { get; set; } = "";
        public string ReferencePath { get; set; } = "";
        public string TargetPath { get; set; } = "";
    }
}
