using Dsd.Curation.Tasks;
using Dsd.Evaluation.Encoders;
using Dsd.MLNet;
using Dsd.Models.Families;
using Dsd.Models.Sampling;
using Microsoft.Extensions.AI;
using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace Dsd.Architecture.Tests.DocSamples;

/// <summary>What docs/mlnet.md and pages of docs/stages show, compiled here.</summary>
internal static class StageSamples
{
    public static void OneTask(MLContext ml, IDataView captions, IChatClient languageModel, IChatClient visionModel)
    {
        CurationTask task = CurationTask.Load("toys.json");     // or one that comes along, such as CurationTask.Load("relighting")
        GridGeneratorOptions grids = new() { Model = "FLUX.1-dev", Device = "cuda", Task = task, PromptClient = "writer" };
        VlmCuratorOptions curator = new() { Judge = "judge", Task = task };
        ChatClients.Register("writer", () => languageModel);    // null for PromptClient: the task's templates alone
        ChatClients.Register("judge", () => visionModel);
        var pairs = new GridGenerator(ml, grids).Append(new VlmCurator(ml, curator)).Fit(captions);
    }

    public static void Preset()
    {
        ModelPresets.Register(new ModelPreset
        {
            Name = "mine",
            Folder = "models/mine",
            AdapterFile = "models/mine.safetensors",
            Frame = new DsdOptions { Width = 256, Height = 256 },
        });
        DsdGeneratorOptions student = new() { Model = "mine" };
    }

    public static void Measure(MLContext ml, IDataView pairs)
    {
        ImageSimilarityOptions images = new() { Encoder = "encoders/dinov2", GeneratedColumn = "Target", NearCopyColumn = "NearCopy" };
        TextSimilarityOptions texts = new() { Encoder = "encoders/clip", ImageColumn = "Target" };
        IDataView measured = new ImageSimilarity(ml, images).Append(new TextSimilarity(ml, texts)).Fit(pairs).Transform(pairs);
        float dino = measured.GetColumn<float>("Similarity").Average();
        float clipT = measured.GetColumn<float>("TextSimilarity").Average();
    }

    public static void Score(MLContext ml, IDataView pairs)
    {
        EncoderFolder clip = EncoderFolder.Open("encoders/clip");
        var chain = new ImagePixels(ml, new ImagePixelsOptions { Encoder = clip.Path, ImageColumn = "Target" })
            .Append(ml.Transforms.ApplyOnnxModel(EncoderFolder.EmbeddingOutput, EncoderFolder.PixelsInput, clip.ImageModel));
        float[][] embeddings = [.. chain.Fit(pairs).Transform(pairs).GetColumn<float[]>(EncoderFolder.EmbeddingOutput)];
    }

    public static void Backends()
    {
        DsdGeneratorOptions onnx = new() { Backend = new OnnxGeneration { Folder = "models" } };
        DsdGeneratorOptions torch = new() { Device = "cuda", Backend = new TorchGeneration { Pipeline = new PipelineOptions { DType = ScalarType.BFloat16 } } };
    }

    public static void Store(MLContext ml, IDataView drawn)
    {
        var chain = ml.Transforms.DrawGrids()
            .Append(ml.Transforms.JudgeGrids())
            .AppendRowStore(ml, "rows")                                           // null: in memory
            .Append(ml.Transforms.FineTuneLora());
        IDataView pairs = ml.Data.StoreRows(drawn, "rows");                       // the same for a view
        IDataView mixed = ml.Data.ShuffleStoredRows(pairs, seed: 1);              // images included
    }

    public static void OwnPictures(MLContext ml)
    {
        IDataView pairs = ml.Data.LoadSubjects("photos");                         // photos/ada/1.jpg, photos/ada/2.jpg, photos/bob/…
        var tuned = ml.Transforms.JudgePairs(new PairCuratorOptions { Judge = "judge" })
            .AppendRowStore(ml, "judged")
            .Append(ml.Transforms.FineTuneLora())
            .Fit(pairs);
    }

    public static void Move(MLContext ml)
    {
        var loaded = (TransformerChain<ITransformer>)ml.Model.Load("model.zip", out _);
        var generator = (DsdGeneratorTransformer)loaded.LastTransformer;
        var moved = generator.With(generator.Options with { Device = "cuda:1", BatchSize = 8, Model = "/models/FLUX.1-dev" });
    }
}
