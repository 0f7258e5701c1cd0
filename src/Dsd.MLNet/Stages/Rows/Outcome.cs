namespace Dsd.MLNet.Stages.Rows;

/// <summary>A value of a row, or what is wrong with the row.</summary>
/// <param name="Value">The value; nothing where something is wrong.</param>
/// <param name="Error">What is wrong. Null: nothing.</param>
internal readonly record struct Outcome<T>(T Value, string? Error);

/// <summary>Outcomes of several rows.</summary>
internal static class Outcome
{
    /// <summary>Computes the good rows together; the others keep what is wrong with them.</summary>
    public static IReadOnlyList<Outcome<TOut>> Map<TIn, TOut>(IReadOnlyList<Outcome<TIn>> inputs, Func<TIn[], IReadOnlyList<TOut>> compute)
    {
        TIn[] good = [.. inputs.Where(i => i.Error is null).Select(i => i.Value)];
        IReadOnlyList<TOut> values = good.Length == 0 ? [] : compute(good);
        int next = 0;
        return [.. inputs.Select(i => i.Error is null ? new Outcome<TOut>(values[next++], null) : new Outcome<TOut>(default!, i.Error))];
    }
}
