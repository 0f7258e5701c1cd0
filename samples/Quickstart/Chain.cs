using Dsd.MLNet;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Microsoft.Extensions.AI;
using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace Quickstart;

/// <summary>The four stages as one ML.NET chain: what README.md shows, compiled here.</summary>
internal static class Chain
{
    public static MLImage Draw(IEnumerable<CaptionRow> subjects, ReferenceRow reference)
    {
        // README
        MLContext ml = new(seed: 1);
        IDataView captions = ml.Data.LoadFromEnumerable(subjects);                   // one column: Caption
        var chain = new EstimatorChain<ITransformer>()
            .Append(new GridGenerator(ml), TransformerScope.Training)                // captions → grids
            .Append(new VlmCurator(ml), TransformerScope.Training)                   // grids → judged pairs
            .Append(new LoraFineTuner(ml), TransformerScope.Training)                // pairs → adapter
            .Append(new DsdGenerator(ml));                                           // reference + prompt → picture
        using var fitted = chain.Fit(captions);
        using var engine = ml.Model.CreatePredictionEngine<ReferenceRow, PictureRow>(fitted.GetModelFor(TransformerScope.Scoring));
        return engine.Predict(reference).Generated;
        // README
    }

    public static IEstimator<ITransformer> Flux(MLContext ml, IChatClient visionModel)
    {
        // README
        // 24 GB; all on the GPU takes 40 GB, streaming 8 GB
        PipelineOptions half = new() { DType = ScalarType.BFloat16, Memory = MemoryMode.IdleOnHost };
        GridGeneratorOptions grids = new() { Model = "FLUX.1-dev", Device = "cuda", Torch = half };
        VlmCuratorOptions judge = new() { ChatClient = visionModel };                // any IChatClient that takes pictures
        LoraFineTunerOptions tuner = new() { Model = "FLUX.1-dev", Device = "cuda" };
        TorchGeneration torch = new() { Pipeline = half };                           // without a backend: ONNX Runtime
        DsdGeneratorOptions generator = new() { Model = "FLUX.1-dev", Device = "cuda", Backend = torch };
        return new GridGenerator(ml, grids).Append(new VlmCurator(ml, judge)).Append(new LoraFineTuner(ml, tuner)).Append(new DsdGenerator(ml, generator));
        // README
    }
}
