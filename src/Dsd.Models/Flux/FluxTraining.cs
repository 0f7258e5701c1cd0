using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Training.Planning;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>What a FLUX transformer weighs in training.</summary>
internal static class FluxTraining
{
    // Blocks over both streams, and over one: as many as pass through the two places of a kind, and a few more to tell them from all else.
    private static readonly int[] Few = [2, 3];
    private static readonly int[] Further = [2, 4];

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
            Rehearse = rehearsal => Rehearse(config, rehearsal),
        };
    }

    /// <summary>Seconds of a step, by steps of networks with a few of the blocks and random weights.</summary>
    /// <param name="config">The whole network's shape.</param>
    /// <param name="rehearsal">What a step takes and does.</param>
    /// <param name="awakening">
    /// Steps at first, which do not count: a GPU that was idle takes a second or two until it runs at its speed, and the processor's code is compiled as it
    /// runs.
    /// </param>
    /// <param name="warmUp">Steps of each network that do not count.</param>
    /// <param name="steps">Steps of each network that do.</param>
    public static double Rehearse(FluxConfig config, StepRehearsal rehearsal, int awakening = 60, int warmUp = 4, int steps = 12)
    {
        int[] blocks = [config.NumLayers, config.NumSingleLayers];
        Seconds(config, rehearsal, Few, awakening, steps);
        // What else the machine does makes a step longer and never shorter.
        Dictionary<string, double> least = [];
        double Best(int[] few) => least[string.Join(' ', few)] = Math.Min(
            Seconds(config, rehearsal, few, warmUp, steps), least.GetValueOrDefault(string.Join(' ', few), double.PositiveInfinity));
        StepRehearsal.Extrapolate(blocks, Few, Further, Best);
        return StepRehearsal.Extrapolate(blocks, Few, Further, Best);
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

    private static double Seconds(FluxConfig config, StepRehearsal rehearsal, int[] blocks, int warmUp, int steps)
    {
        (int doubles, int singles) = (Math.Min(blocks[0], config.NumLayers), Math.Min(blocks[1], config.NumSingleLayers));
        TrainingSetting setting = rehearsal.Setting;
        using FluxTransformer few = FluxCheckpoint.Random(
            config with { NumLayers = doubles, NumSingleLayers = singles }, rehearsal.Device, rehearsal.DType,
            setting.Streamed ? MemoryMode.Streamed : MemoryMode.Resident, setting.Float8, trains: true);
        using LoraAdapter adapter = LoraLayers.Create(
            few, few.Linears().Keys.Order(StringComparer.Ordinal).SelectMany(layer => Over(config, rehearsal, layer)), rehearsal.TrainsCondition);
        LoraDropout? dropout = rehearsal.Dropout > 0 ? new LoraDropout(rehearsal.Dropout, 0) { Step = 0 } : null;
        using LoraAttachment attached = adapter.AttachToTrain(few, dropout);
        (double[] seconds, _) = new FluxTrainingSteps(rehearsal.ImageTokens, rehearsal.TextTokens, rehearsal.BatchSize)
            .Take(few, setting, attached, rehearsal.Loop with { Steps = warmUp + steps, ReportEvery = int.MaxValue }, warmUp);
        Array.Sort(seconds);
        return seconds[seconds.Length / 4];
    }

    private static IEnumerable<(string Name, long Rank, float Alpha)> Over(FluxConfig config, StepRehearsal rehearsal, string layer)
    {
        string[] parts = layer.Split('.');
        int blocks = parts[0] switch
        {
            "transformer_blocks" => config.NumLayers,
            "single_transformer_blocks" => config.NumSingleLayers,
            _ => 0,
        };
        string In(int block) => string.Join('.', [parts[0], $"{block}", .. parts.Skip(2)]);
        return rehearsal.Over(layer, blocks, In) is { } found ? [(layer, found.Rank, found.Alpha)] : [];
    }
}
