using System.Globalization;
using Dsd.Tiny.World;

namespace Dsd.Lab.Measure;

/// <summary>Figures of looking across in words: for the log, and for a report.</summary>
internal static class LookText
{
    /// <summary>Who is held with how much noise, what the right panels follow, and what they show of what is said.</summary>
    public static string Line(LookFigures figures) => string.Create(
        CultureInfo.InvariantCulture,
        $"{figures.Name}, {(figures.Noise == HeldNoise.Clean ? "clean" : "with the step's noise")}: follows the held {figures.HeldShare:0.000}, the named "
            + $"{figures.NamedShare:0.000}; stated {figures.Stated:0.000}");

    /// <summary>A section's lines in Markdown, with the sheet <c>look.png</c>.</summary>
    public static IEnumerable<string> Section(IReadOnlyList<LookFigures> all)
    {
        yield return "## Looking across";
        yield return "";
        yield return "Grids of two panels whose left one is held at a true picture in every step, without noise or with the step's. Of the attributes that the";
        yield return "caption leaves open, which share does the right panel show as the held subject has it? Where another subject is held than the caption's,";
        yield return "only attributes count in which the two differ; *named* is then the share that follows the caption's subject, which nobody tells of:";
        yield return "chance.";
        yield return "";
        yield return "| held | noise | grids | follows the held | follows the named | stated attributes | "
            + string.Join(" | ", Subject.Kinds.Select(kind => kind.Name.Replace('_', ' '))) + " |";
        yield return "| --- | --- | --- | --- | --- | --- |" + string.Concat(Subject.Kinds.Select(_ => " --- |"));
        foreach (LookFigures look in all)
        {
            yield return $"| {look.Name} | {(look.Noise == HeldNoise.Clean ? "none" : "the step's")} | {look.Grids} | {Share(look.HeldShare)} | "
                + $"{Share(look.NamedShare)} | {Share(look.Stated)} | {string.Join(" | ", look.Held.Select(share => Share(share.Share)))} |";
        }
        yield return "";
        yield return "![Held pictures, each with the panel drawn beside it](look.png)";
        yield return "";
    }

    private static string Share(double? share) => share is { } s ? (100 * s).ToString("0.0", CultureInfo.InvariantCulture) + " %" : "–";
}
