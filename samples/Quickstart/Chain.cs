using Dsd.MLNet;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Microsoft.Extensions.AI;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace Quickstart;

/// <summary>What README.md and docs/stages show of the stages, compiled here.</summary>
internal static class Chain
{
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

    public static void Train(MLContext ml, IDataView pairs)
    {
        // docs/stages
        LoraFineTunerOptions options = new()
        {
            Model = "FLUX.1-dev",
            Device = "cuda",
            HeldOutColumn = "HeldOut",                                   // a Boolean column: rows that are not trained on
            Training = new LoraTrainingOptions
            {
                Adapter = LoraOptions.Preset("all") with { Rank = 128 },
                Optimizer = new EightBitAdamWOptions(),
                Steps = 5000,
                ValidateEvery = 500,
                CheckpointFolder = "lora/checkpoints",                   // a second Fit goes on from here
                CacheFolder = "lora/cache",                              // encoded pictures and prompts
            },
        };
        ml.Log += (_, e) =>
        {
            if (e.Kind is ChannelMessageKind.Info or ChannelMessageKind.Warning)
            {
                Console.WriteLine(e.RawMessage);
            }
        };
        LoraFineTunerTransformer tuned = new LoraFineTuner(ml, options).Fit(pairs);
        tuned.Adapter.Save("flux-dsd.safetensors");
        // docs/stages
    }

    public static List<PictureRow> Join(MLContext ml, IDataView references, PipelineOptions half)
    {
        // docs/stages
        DsdGeneratorOptions options = new() { Model = "FLUX.1-dev", Device = "cuda", Backend = new TorchGeneration { Pipeline = half } };
        DsdGenerator generator = new(ml, options, LoraWeights.Load("flux-dsd.safetensors"));
        using DsdGeneratorTransformer fitted = generator.Fit(references);             // reads no row
        // docs/stages
        return [.. ml.Data.CreateEnumerable<PictureRow>(fitted.Transform(references), reuseRowObject: false)];
    }
}
