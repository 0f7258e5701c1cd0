using System.Globalization;
using System.Text;
using Dsd.Common.Files;

namespace Dsd.Lab.Study;

/// <summary>CP and PF of adapters, and how they were drawn: the content of <c>measure.json</c>.</summary>
/// <param name="Model">The folder of the model that drew.</param>
/// <param name="Seed">Fixes the cases.</param>
/// <param name="Subjects">Held-out subjects.</param>
/// <param name="Prompts">Prompts, and pictures, for each.</param>
/// <param name="DrawingSteps">Euler steps of each picture.</param>
/// <param name="Guidance">The distilled guidance.</param>
/// <param name="ImageGuidance">True guidance towards the reference.</param>
/// <param name="TextGuidance">True guidance towards the prompt.</param>
/// <param name="Adapters">The adapters, in the order in which they were given.</param>
internal sealed record AdapterReport(
    string Model,
    long Seed,
    int Subjects,
    int Prompts,
    int DrawingSteps,
    float Guidance,
    float ImageGuidance,
    float TextGuidance,
    IReadOnlyList<AdapterResult> Adapters)
{
    private const string Signed = "+0.000;-0.000;0.000";

    internal static AdapterReport Of(StudyContext context, IReadOnlyList<AdapterResult> adapters) => new(
        context.ModelFolder,
        context.Config.Seed,
        context.Config.Subjects,
        context.Config.Prompts,
        context.Config.DrawingSteps,
        context.Config.Guidance,
        context.Config.ImageGuidance,
        context.Config.TextGuidance,
        adapters);

    /// <summary>Writes <c>measure.json</c> and <c>measure.md</c>.</summary>
    public void Save(string folder)
    {
        StudyJson.Save(Path.Combine(folder, "measure.json"), this);
        AtomicFile.Write(Path.Combine(folder, "measure.md"), stream => stream.Write(Encoding.UTF8.GetBytes(Markdown())));
    }

    private string Markdown()
    {
        StringBuilder text = new();
        text.Append("# CP and PF of adapters\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{Subjects} subjects held out from training, {Prompts} prompts each, seed {Seed}. Pictures take ");
        text.Append(CultureInfo.InvariantCulture, $"{DrawingSteps} sampling steps, guidance {Guidance}, true guidance of {ImageGuidance} towards the ");
        text.Append(CultureInfo.InvariantCulture, $"reference and {TextGuidance} towards the prompt.\n\n");
        text.Append(StudyMarkdown.Table(
        [
            ["adapter", "CP", "PF", "CP minus the first's", "PF minus the first's"],
            .. Adapters.Select((a, i) => new[]
            {
                $"{i + 1}. `{a.Adapter.Replace("|", "\\|", StringComparison.Ordinal)}`",
                StudyTables.Text(a.Cp),
                StudyTables.Text(a.Pf),
                a.CpFromFirst is { } cp ? StudyTables.Text(cp, Signed) : "–",
                a.PfFromFirst is { } pf ? StudyTables.Text(pf, Signed) : "–",
            }),
        ]));
        text.Append(StudyTables.ScoresReading);
        text.Append(" Differences are means over the same subjects, with intervals of their own.\n\n## Attribute by attribute\n\n");
        text.Append(StudyMarkdown.Table(StudyTables.AttributesOf([.. Adapters.Select((_, i) => $"{i + 1}")], [.. Adapters.Select(a => a.Attributes)])));
        text.Append("## Pictures\n\nRows of a reference and the answers to its prompts.\n\n");
        text.Append(string.Concat(Adapters.Select((a, i) => $"{i + 1}. ![Adapter {i + 1}]({a.Sheet})\n")));
        return text.ToString();
    }
}
