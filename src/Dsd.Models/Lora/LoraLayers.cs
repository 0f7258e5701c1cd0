using Dsd.Models.Families;
using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>Which layers of a network a new adapter adapts, with which rank and alpha, and the adapter with its first numbers.</summary>
internal static class LoraLayers
{
    /// <summary>The layer that embeds the condition. What becomes of it is an option of its own.</summary>
    public const string Condition = "c_embedder";

    /// <summary>The layers that a new adapter adapts, in the order in which its numbers are drawn.</summary>
    /// <param name="layers">The names of the network's linear layers.</param>
    /// <param name="options">Which of them, and how.</param>
    /// <param name="usual">What is adapted where the options do not say: <see cref="DenoisingNetwork.AdapterTargets"/>.</param>
    /// <exception cref="ArgumentException">A target or pattern matches no layer.</exception>
    public static IEnumerable<(string Name, long Rank, float Alpha)> Of(string[] layers, LoraOptions options, IReadOnlyList<string> usual)
    {
        LayerPattern[] targets = [.. (options.Targets ?? usual).Select(t => LayerPattern.Parse(t, nameof(options.Targets)))];
        // What becomes of the condition's layer is an option of its own.
        string[] names = [.. layers.Where(n => n != Condition).Order(StringComparer.Ordinal)];
        string[] lost = [.. targets.Where(t => !names.Any(t.Matches)).Select(t => t.Text)];
        if (lost.Length > 0)
        {
            throw new ArgumentException(
                $"Targets {string.Join(", ", lost)} match no linear layer of the transformer. "
                    + $"Its layers end in {string.Join(", ", Endings(names))}"
                    + $"{(layers.Contains(Condition) ? $"; {Condition} is trained as option {nameof(options.Condition)} says" : "")}.",
                nameof(options));
        }
        string[] adapted = [.. names.Where(n => targets.Any(t => t.Matches(n)))];
        if (options.Condition == ConditionTraining.Lora)
        {
            adapted = layers.Contains(Condition) ? [Condition, .. adapted] : throw new ArgumentException(
                $"Option {nameof(options.Condition)} is {options.Condition}, but the transformer has no {Condition}.", nameof(options));
        }
        Dictionary<string, double> ranks = Numbers(options.RankPattern, adapted, nameof(options.RankPattern));
        Dictionary<string, double> alphas = Numbers(options.AlphaPattern, adapted, nameof(options.AlphaPattern));
        return adapted.Select(name =>
        {
            long rank = ranks.TryGetValue(name, out double own) ? (long)own : options.Rank;
            return (name, rank, alphas.TryGetValue(name, out double other) ? (float)other : options.Alpha ?? rank);
        });
    }

    /// <summary>How many numbers a new adapter would have over layers of these shapes [outputs, inputs].</summary>
    /// <inheritdoc cref="Of" path="/param"/>
    /// <inheritdoc cref="Of" path="/exception"/>
    public static long CountNumbers(IReadOnlyDictionary<string, long[]> layers, LoraOptions options, IReadOnlyList<string> usual)
    {
        long factors = Of([.. layers.Keys], options, usual).Sum(a => a.Rank * layers[a.Name].Sum());
        bool whole = options.Condition == ConditionTraining.Whole && layers.ContainsKey(Condition);
        return factors + (whole ? layers[Condition][0] * (layers[Condition][1] + 1) : 0);
    }

    /// <summary>A new adapter over known layers, which changes nothing yet: see <see cref="LoraAdapter.Create"/>.</summary>
    /// <param name="network">The network.</param>
    /// <param name="layers">Its layers to adapt, in the order in which their numbers are drawn.</param>
    /// <param name="wholeCondition">Whether it holds the condition's layer whole, where the network has one.</param>
    /// <param name="seed">Where the random numbers start.</param>
    public static LoraAdapter Create(
        DenoisingNetwork network, IEnumerable<(string Name, long Rank, float Alpha)> layers, bool wholeCondition, long seed = 0)
    {
        IReadOnlyDictionary<string, AdaptableLinear> linears = network.Linears();
        Dictionary<string, LoraFactors> factors = [];
        Dictionary<string, Tensor> whole = [];
        using IDisposable noGrad = no_grad();
        using Generator generator = new((ulong)seed, CPU);
        foreach ((string name, long rank, float alpha) in layers)
        {
            long[] shape = linears[name].Weight.shape; // [outputs, inputs]
            using DisposeScope scope = NewDisposeScope();
            Tensor a = randn([rank, shape[1]], generator: generator).Over(rank).DetachFromDisposeScope();
            Tensor b = zeros(shape[0], rank).DetachFromDisposeScope();
            factors.Add(name, new LoraFactors(a, b, alpha));
        }
        if (wholeCondition && linears.TryGetValue(Condition, out AdaptableLinear? condition))
        {
            whole.Add(Condition + ".weight", LoraAdapter.Detached(condition.Replacement?.Weight ?? condition.Weight));
            whole.Add(Condition + ".bias", LoraAdapter.Detached(condition.Replacement?.Bias ?? condition.Bias));
        }
        return new LoraAdapter("a new adapter", factors, whole);
    }

    /// <summary>The number of each layer that a pattern matches: the first one's.</summary>
    private static Dictionary<string, double> Numbers(IReadOnlyList<LayerNumber> patterns, string[] layers, string option)
    {
        LayerPattern[] parsed = [.. patterns.Select(p => LayerPattern.Parse(p.Pattern, option))];
        int[] first = [.. layers.Select(name => Array.FindIndex(parsed, p => p.Matches(name)))];
        string[] lost = [.. parsed.Where((_, i) => !first.Contains(i)).Select(p => p.Text)];
        return lost.Length == 0
            ? layers.Zip(first).Where(l => l.Second >= 0).ToDictionary(l => l.First, l => patterns[l.Second].Value)
            : throw new ArgumentException(
                $"Patterns {string.Join(", ", lost)} of option {option} are the first to match for no layer that is adapted: "
                    + $"those end in {string.Join(", ", Endings(layers))}.",
                option);
    }

    /// <summary>Layer names without their block numbers, each once.</summary>
    private static IEnumerable<string> Endings(IEnumerable<string> names) =>
        names.Select(n => n.Contains("blocks.", StringComparison.Ordinal) ? string.Join('.', n.Split('.').Skip(2)) : n)
            .Distinct()
            .Order(StringComparer.Ordinal);
}
