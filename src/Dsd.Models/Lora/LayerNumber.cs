namespace Dsd.Models.Lora;

/// <summary>A number for the layers that a pattern matches.</summary>
/// <param name="Pattern">A name of layers in one of the forms of <see cref="LoraOptions.Targets"/>.</param>
/// <param name="Value">The number.</param>
public sealed record LayerNumber(string Pattern, double Value)
{
    internal static IReadOnlyList<LayerNumber> Checked(IReadOnlyList<LayerNumber> given, string option, double least, double most, bool whole)
    {
        ArgumentNullException.ThrowIfNull(given, option);
        foreach (LayerNumber number in given)
        {
            LayerPattern.Parse(number.Pattern, option);
            if (!(number.Value >= least && number.Value <= most) || (whole && number.Value != Math.Truncate(number.Value)))
            {
                throw new ArgumentOutOfRangeException(
                    option,
                    number.Value,
                    $"Option {option} must have {(whole ? "whole numbers" : "numbers")} between {least} and {most}, "
                        + $"but has {number.Value} for {number.Pattern}.");
            }
        }
        return [.. given];
    }
}
