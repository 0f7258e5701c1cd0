using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>One reason why an adapter's file cannot be used as it is.</summary>
/// <param name="Expected">What ought to be there.</param>
/// <param name="Found">What is there.</param>
/// <param name="Tensor">The one tensor that it is about; null where there is no such.</param>
public sealed record LoraProblem(string Expected, string Found, string? Tensor = null)
{
    /// <summary>One sentence for a list of warnings, with what matters most in front, since such lists are cut.</summary>
    public override string ToString() => $"{(Tensor is null ? "" : $"'{Tensor}': ")}{Found} (expected {Expected})";

    /// <summary>All that is wrong with a file in one error.</summary>
    internal static WeightsException Exception(string file, IReadOnlyList<LoraProblem> problems) => problems is [{ Tensor: { } tensor } single]
        ? new SafetensorsException(file, tensor, single.Expected, single.Found)
        : new WeightsException(
            file,
            WeightsException.Some([.. problems.Select(p => p.Expected).Distinct()], "; "),
            WeightsException.Some([.. problems.Select(p => p.Tensor is null ? p.Found : $"{p.Found} in '{p.Tensor}'")], "; "));
}
