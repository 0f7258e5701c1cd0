using System.Globalization;

namespace Dsd.Onnx.Graph;

/// <summary>
/// An input of a graph for a factor of an adapter: <c>adapter.LAYER.A</c> [inputs, rank] and <c>adapter.LAYER.B</c> [rank, outputs], in the graph's type. To
/// the layer's product with x is added (x·A)·B. Where a layer is multiplied in parts, each has its own A, for the inputs from <see cref="First"/> on:
/// <c>adapter.LAYER.A.FIRST</c>.
/// </summary>
/// <param name="Layer">The layer's module name in the checkpoint.</param>
/// <param name="IsA">Whether it is A.</param>
/// <param name="First">The first of the layer's inputs that it is for.</param>
internal sealed record AdapterInput(string Layer, bool IsA, int First)
{
    private const string Prefix = "adapter.";

    /// <summary>The input's name.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Layer}.{(IsA ? "A" : "B")}{(First > 0 ? $".{First}" : "")}");

    /// <summary>What an input of a graph is for; null where it is no adapter's.</summary>
    public static AdapterInput? Of(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }
        string rest = name[Prefix.Length..];
        int dot = rest.LastIndexOf('.');
        int first = 0;
        if (dot > 0 && int.TryParse(rest[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out first))
        {
            rest = rest[..dot];
        }
        return rest.EndsWith(".A", StringComparison.Ordinal) || rest.EndsWith(".B", StringComparison.Ordinal)
            ? new AdapterInput(rest[..^2], rest[^1] == 'A', first)
            : null;
    }
}
