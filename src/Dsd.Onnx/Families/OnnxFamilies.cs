using System.Collections.Immutable;
using Dsd.Models.Weights;
using Dsd.Onnx.Flux;

namespace Dsd.Onnx.Families;

/// <summary>The families of base models that can be written as ONNX and drawn with.</summary>
public static class OnnxFamilies
{
    private static ImmutableArray<OnnxFamily> _all = [new FluxOnnx()];

    /// <summary>All of them, in the order of registration.</summary>
    public static IReadOnlyList<OnnxFamily> All => _all;

    /// <summary>Makes a family known to this process. Any thread may call it.</summary>
    /// <exception cref="ArgumentException">Another family has its name.</exception>
    public static void Register(OnnxFamily family)
    {
        ArgumentNullException.ThrowIfNull(family);
        ImmutableInterlocked.Update(ref _all, all => all.Any(f => f.Name == family.Name)
            ? throw new ArgumentException($"There is a family '{family.Name}' already.", nameof(family))
            : all.Add(family));
    }

    /// <summary>The family of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="file">What names it, for the message.</param>
    /// <exception cref="WeightsException">It cannot be written as ONNX, or is not known.</exception>
    internal static OnnxFamily Of(string name, string file) => _all.FirstOrDefault(f => f.Name == name)
        ?? throw new WeightsException(file, $"a model of a family that ONNX models are known of ({string.Join(", ", _all.Select(f => f.Name))})", $"'{name}'");
}
