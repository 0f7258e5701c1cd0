using Dsd.Models.Residency;
using Dsd.Models.Training.Planning;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>What a FLUX transformer weighs in training.</summary>
internal static class FluxTraining
{
    /// <summary>The load of a transformer of this shape.</summary>
    public static TrainingLoad Load(FluxConfig config)
    {
        long square = (long)config.Width * config.Width;
        // Of image and text: queries, keys, values and output, and a feed-forward network four times as wide.
        (long doubled, long single) = (24 * square, 12 * square);
        long ends = config.Width * ((config.InChannels * (config.Conditional ? 2L : 1L)) + config.JointAttentionDim + config.OutputChannels
            + config.PooledProjectionDim + (256L * (config.GuidanceEmbeds ? 2 : 1))) + (square * (config.GuidanceEmbeds ? 5 : 4));
        // A network without memory behind its weights has all names and shapes.
        using FluxTransformer shapes = new(config, new WeightPlaces(META, META), ScalarType.BFloat16);
        return new TrainingLoad
        {
            AdapterTargets = shapes.AdapterTargets,
            Layers = shapes.Linears().ToDictionary(l => l.Key, l => l.Value.Weight.shape),
            Blocks = config.NumLayers + config.NumSingleLayers,
            Width = config.Width,
            BlockWeights = (config.NumLayers * doubled) + (config.NumSingleLayers * single),
            LargestBlock = config.NumLayers > 0 ? doubled : single,
            PlaceWeights = 2 * ((config.NumLayers > 0 ? doubled : 0) + (config.NumSingleLayers > 0 ? single : 0)),
            ModulationWeights = (config.NumLayers * 12 * square) + (config.NumSingleLayers * 3 * square),
            EndWeights = ends,
            // A gradient of what modulates goes through all blocks: FluxTape.
            KeepsNoGraph = name => !name.StartsWith("time_text_embed.", StringComparison.Ordinal)
                && !(name.Contains("blocks.", StringComparison.Ordinal) && name.Contains(".norm", StringComparison.Ordinal)),
            Arithmetic = (image, text) => Arithmetic(config, image, text),
        };
    }

    /// <summary>Multiplications and additions of one pass of one picture.</summary>
    public static double Arithmetic(FluxConfig config, long image, long text)
    {
        double width = config.Width;
        double tokens = image + text;
        double block = (2 * tokens * 12 * width * width) + (4 * tokens * tokens * width); // linear layers, attention
        double ends = 2 * width
            * ((image * config.InChannels * (config.Conditional ? 2.0 : 1)) + ((double)text * config.JointAttentionDim)
                + ((double)image * config.OutputChannels));
        return ((config.NumLayers + config.NumSingleLayers) * block) + ends;
    }
}
