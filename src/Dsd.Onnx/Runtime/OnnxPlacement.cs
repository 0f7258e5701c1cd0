using System.Globalization;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// Where the nodes of a component run, as its session says: counted after ONNX Runtime's basic optimisations, before a provider fuses nodes.
/// </summary>
public sealed class OnnxPlacement
{
    private const string Processor = "CPUExecutionProvider";

    private OnnxPlacement(
        string component, IReadOnlyList<OnnxProvider> providers, IReadOnlyDictionary<string, int> nodes, IReadOnlyDictionary<string, int> leftToProcessor,
        TimeSpan opening) =>
        (Component, Providers, Nodes, LeftToProcessor, Opening) = (component, providers, nodes, leftToProcessor, opening);

    /// <summary>The component's folder, such as <c>transformer</c>.</summary>
    public string Component { get; }

    /// <summary>The providers that the session was opened with, the preferred first.</summary>
    public IReadOnlyList<OnnxProvider> Providers { get; }

    /// <summary>How many nodes each provider runs, by ONNX Runtime's name for it, such as <c>CUDAExecutionProvider</c>.</summary>
    public IReadOnlyDictionary<string, int> Nodes { get; }

    /// <summary>
    /// The operators that run on the processor though another provider was to compute, with the number of their nodes: each is a copy from the device and
    /// back. Nodes that compute from shapes and constants alone are not among them, since ONNX Runtime keeps them on the processor on purpose.
    /// </summary>
    public IReadOnlyDictionary<string, int> LeftToProcessor { get; }

    /// <summary>How long it took to open the session the first time: the file was read, and its weights were brought to the device.</summary>
    public TimeSpan Opening { get; }

    /// <summary>All nodes.</summary>
    public int Count => Nodes.Values.Sum();

    /// <summary>A line about several components of one model: <c>CUDA (transformer 1,204 of 1,204 nodes, vae_decoder 130 of 138 nodes)</c>.</summary>
    /// <param name="placements">At least one.</param>
    public static string Line(IReadOnlyList<OnnxPlacement> placements)
    {
        ArgumentNullException.ThrowIfNull(placements);
        ArgumentOutOfRangeException.ThrowIfZero(placements.Count, nameof(placements));
        return $"{ProviderTraits.Of(placements[0].Providers[0]).Title} ({string.Join(", ", placements)})";
    }

    /// <summary>The component, and how many of its nodes the preferred provider runs.</summary>
    public override string ToString()
    {
        IEnumerable<string> behind = Providers.Skip(1).Select(p => $" and {Number(On(p))} on {ProviderTraits.Of(p).Title}");
        return $"{Component} {Number(On(Providers[0]))}{string.Concat(behind)} of {Number(Count)} nodes";
    }

    /// <summary>What a session said.</summary>
    /// <param name="component">The component's folder.</param>
    /// <param name="providers">The providers that it was opened with.</param>
    /// <param name="nodes">What it said.</param>
    /// <param name="shapes">The names of nodes that compute from shapes alone. Asked for only where some were left to the processor.</param>
    /// <param name="opening">How long it took to open it.</param>
    internal static OnnxPlacement Of(
        string component, IReadOnlyList<OnnxProvider> providers, IReadOnlyList<PlacedNode> nodes, Func<IReadOnlySet<string>> shapes,
        TimeSpan opening = default)
    {
        PlacedNode[] left = providers is [OnnxProvider.Cpu] ? [] : [.. nodes.Where(n => n.Provider == Processor)];
        IReadOnlySet<string> expected = left.Length == 0 ? new HashSet<string>() : shapes();
        return new OnnxPlacement(
            component, providers, Counted(nodes.Select(n => n.Provider)), Counted(left.Where(n => !expected.Contains(n.Name)).Select(n => n.Operator)),
            opening);
    }

    /// <summary>A warning where operators were left to the processor; null where none were.</summary>
    internal string? Warning() => LeftToProcessor.Count == 0
        ? null
        : $"{Number(LeftToProcessor.Values.Sum())} of {Number(Count)} nodes of '{Component}' run on the CPU, since {ProviderTraits.Of(Providers[0]).Title} "
            + $"lacks their operators: {string.Join(", ", LeftToProcessor.Select(o => o.Value == 1 ? o.Key : $"{o.Key} ({Number(o.Value)})"))}. "
            + "Each is a copy from the device and back in every run.";

    // A provider that came from a library of its own may have another name than the usual one; it is then the only one that is not the processor.
    private int On(OnnxProvider provider)
    {
        string name = ProviderTraits.Of(provider).RuntimeName;
        return Nodes.TryGetValue(name, out int count) ? count
            : Providers.Count == 1 ? Nodes.Where(n => n.Key != Processor).Sum(n => n.Value)
            : 0;
    }

    private static SortedDictionary<string, int> Counted(IEnumerable<string> names) =>
        new(names.CountBy(n => n).ToDictionary(), StringComparer.Ordinal);

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
