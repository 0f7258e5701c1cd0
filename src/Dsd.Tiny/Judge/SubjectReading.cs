using Dsd.Tiny.World;

namespace Dsd.Tiny.Judge;

/// <summary>What the network reads off one picture: a probability for every value of every attribute.</summary>
public sealed class SubjectReading
{
    private readonly double[][] _probabilities;

    private SubjectReading(double[][] probabilities) => _probabilities = probabilities;

    /// <summary>Turns logits into probabilities.</summary>
    /// <param name="logits">One row of the network's output.</param>
    /// <param name="config">Says which logits belong together, and their temperature.</param>
    public static SubjectReading FromLogits(ReadOnlySpan<float> logits, JudgeConfig config)
    {
        double[][] probabilities = new double[config.Attributes.Count][];
        int from = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            int count = config.Attributes[i].Count;
            probabilities[i] = Softmax(logits.Slice(from, count), config.Temperature);
            from += count;
        }
        return new SubjectReading(probabilities);
    }

    /// <summary>A reading that is certain of every value.</summary>
    /// <param name="values">One value index per attribute.</param>
    /// <param name="kinds">The attributes.</param>
    public static SubjectReading Certain(IReadOnlyList<int> values, IReadOnlyList<AttributeKind> kinds) =>
        new([.. kinds.Select((kind, i) => Enumerable.Range(0, kind.Count).Select(value => value == values[i] ? 1.0 : 0.0).ToArray())]);

    /// <summary>The probability of a value.</summary>
    public double Probability(int attribute, int value) => _probabilities[attribute][value];

    /// <summary>The most probable value of an attribute.</summary>
    public int Best(int attribute) => Array.IndexOf(_probabilities[attribute], _probabilities[attribute].Max());

    /// <summary>The probability that both pictures show the same value of one attribute.</summary>
    public double Agreement(SubjectReading other, int attribute) => _probabilities[attribute].Zip(other._probabilities[attribute], (p, q) => p * q).Sum();

    /// <summary>The probability that both pictures show the same value of every attribute.</summary>
    public double Agreement(SubjectReading other) => Enumerable.Range(0, _probabilities.Length).Aggregate(1.0, (product, i) => product * Agreement(other, i));

    private static double[] Softmax(ReadOnlySpan<float> logits, double temperature)
    {
        double[] p = new double[logits.Length];
        double most = double.NegativeInfinity;
        foreach (float logit in logits)
        {
            most = Math.Max(most, logit);
        }
        for (int i = 0; i < p.Length; i++)
        {
            p[i] = Math.Exp((logits[i] - most) / temperature);
        }
        double sum = p.Sum();
        for (int i = 0; i < p.Length; i++)
        {
            p[i] /= sum;
        }
        return p;
    }
}
