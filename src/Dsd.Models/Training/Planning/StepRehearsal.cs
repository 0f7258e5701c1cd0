using static TorchSharp.torch;

namespace Dsd.Models.Training.Planning;

/// <summary>A step of training whose seconds are to be known before the model is read: what it takes and does.</summary>
internal sealed record StepRehearsal
{
    /// <summary>What of the base model lies where.</summary>
    public required TrainingSetting Setting { get; init; }

    /// <summary>Where it runs.</summary>
    public required Device Device { get; init; }

    /// <summary>The type of the base's weights.</summary>
    public required ScalarType DType { get; init; }

    /// <summary>The layers that an adapter lies over, by the whole network's names, with rank and alpha.</summary>
    public required IReadOnlyDictionary<string, (long Rank, float Alpha)> Adapted { get; init; }

    /// <summary>Whether the condition embedder is trained whole.</summary>
    public required bool TrainsCondition { get; init; }

    /// <summary>The adapter's dropout, in 0…1.</summary>
    public required double Dropout { get; init; }

    /// <summary>Optimiser, accumulation and average of the run.</summary>
    public required TrainingLoopOptions Loop { get; init; }

    /// <summary>Image tokens of a pair's canvas.</summary>
    public required long ImageTokens { get; init; }

    /// <summary>Text tokens.</summary>
    public required long TextTokens { get; init; }

    /// <summary>Pairs of a loss.</summary>
    public required int BatchSize { get; init; }

    /// <summary>
    /// The seconds of a step with all blocks, by those of networks with a few: a step takes as much longer for each further block of a kind, since blocks of
    /// a kind do the same.
    /// </summary>
    /// <param name="blocks">Blocks of each kind that the network has.</param>
    /// <param name="few">Of each kind, how many the smallest network has at most.</param>
    /// <param name="further">Of each kind, how many another network has more, at most.</param>
    /// <param name="seconds">Measures a network with so many blocks of each kind.</param>
    public static double Extrapolate(int[] blocks, int[] few, int[] further, Func<int[], double> seconds)
    {
        int[] least = [.. blocks.Zip(few, Math.Min)];
        double first = seconds(least);
        double sum = first;
        for (int kind = 0; kind < blocks.Length; kind++)
        {
            int more = Math.Min(further[kind], blocks[kind] - least[kind]);
            if (more > 0)
            {
                int[] other = [.. least];
                other[kind] += more;
                sum += (blocks[kind] - least[kind]) * Math.Max(0, seconds(other) - first) / more;
            }
        }
        return sum;
    }

    /// <summary>What lies over a layer of a network with fewer blocks: what lies over the same layer of most blocks of its kind.</summary>
    /// <param name="layer">The layer's name.</param>
    /// <param name="blocks">Blocks of that kind in the whole network; 0 where the layer is in no block.</param>
    /// <param name="name">The name of the layer in another block.</param>
    /// <returns>Null where most have nothing.</returns>
    public (long Rank, float Alpha)? Over(string layer, int blocks, Func<int, string> name) => blocks == 0
        ? Adapted.TryGetValue(layer, out (long, float) own) ? own : null
        : Enumerable.Range(0, blocks)
            .Select(i => Adapted.TryGetValue(name(i), out (long, float) found) ? found : ((long, float)?)null)
            .GroupBy(found => found)
            .MaxBy(group => group.Count())!.Key;
}
