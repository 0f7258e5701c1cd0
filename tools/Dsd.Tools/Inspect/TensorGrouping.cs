using System.Globalization;
using Dsd.Models.Weights;

namespace Dsd.Tools.Inspect;

/// <summary>Puts the tensors of repeated blocks together, so that a model of a thousand tensors fits a screen.</summary>
internal static class TensorGrouping
{
    /// <summary>Groups tensors by name pattern, type and shape, in the order of the patterns.</summary>
    public static TensorGroup[] Group(IEnumerable<TensorEntry> tensors) =>
        [.. tensors
            .Select(t => new Member(t.Name.Split('.'), t))
            .GroupBy(m => $"{Pattern(m.Parts)} {m.Tensor}", StringComparer.Ordinal)
            .SelectMany(g => Split([.. g]))
            .OrderBy(g => g.First.Order, StringComparer.Ordinal)
            .Select(g => g.Group)];

    /// <summary>One group a tensor, in natural order of the names: block 2 before block 10.</summary>
    public static TensorGroup[] Each(IEnumerable<TensorEntry> tensors) =>
        [.. tensors
            .Select(t => new Member(t.Name.Split('.'), t))
            .OrderBy(m => m.Order, StringComparer.Ordinal)
            .Select(m => new TensorGroup(m.Tensor.Name, m.Tensor.DType, m.Tensor.Shape, 1))];

    private static IEnumerable<(Member First, TensorGroup Group)> Split(Member[] members)
    {
        string[] parts = members[0].Parts;
        int[] places = [.. Enumerable.Range(0, parts.Length).Where(i => IsNumber(parts[i]))];
        int[][] values = [.. places.Select(i => members.Select(m => int.Parse(m.Parts[i], CultureInfo.InvariantCulture)).Distinct().Order().ToArray())];
        if (values.Aggregate(1L, (product, v) => product * v.Length) == members.Length)
        {
            string[] name = [.. parts];
            for (int i = 0; i < places.Length; i++)
            {
                name[places[i]] = Range(values[i]);
            }
            return [(members.MinBy(m => m.Order, StringComparer.Ordinal)!,
                new TensorGroup(string.Join('.', name), members[0].Tensor.DType, members[0].Tensor.Shape, members.Length))];
        }
        // Not every combination of the numbers is there: take the last one that varies apart, and look again.
        int last = places[Array.FindLastIndex(values, v => v.Length > 1)];
        return members
            .GroupBy(m => m.Parts[last], StringComparer.Ordinal)
            .SelectMany(g => Split([.. g]));
    }

    private static string Range(int[] values) => values switch
    {
        [int one] => one.ToString(CultureInfo.InvariantCulture),
        _ when values[^1] - values[0] == values.Length - 1 => $"{{{values[0]}-{values[^1]}}}",
        _ => $"{{{string.Join(',', values)}}}",
    };

    private static string Pattern(string[] parts) => string.Join('.', parts.Select(p => IsNumber(p) ? "#" : p));

    // Plain numbers only: another spelling of the same number ("01") would make two names look alike.
    private static bool IsNumber(string part) =>
        part.Length is > 0 and < 9 && part.All(char.IsAsciiDigit) && (part.Length == 1 || part[0] != '0');

    private sealed record Member(string[] Parts, TensorEntry Tensor)
    {
        /// <summary>Sorts block 2 before block 10, and the same layer of all blocks together.</summary>
        public string Order { get; } = $"{Pattern(Parts)} {string.Join(' ', Parts.Where(IsNumber).Select(p => p.PadLeft(8, '0')))}";
    }
}
