using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dsd.Common.Options;
using Dsd.Curation.Grids;
using Dsd.Curation.Tasks;

namespace Dsd.Runs;

/// <summary>What a curation run does, and how much of it at once.</summary>
public sealed record RunOptions
{
    /// <summary>What the dataset is about.</summary>
    public required CurationTask Task { get; init; }

    /// <summary>How the panels of a grid lie. Null, the default: as the task says.</summary>
    public GridLayout? Layout { get; init; }

    /// <summary>Grids for each caption, 1 to 256. Default 1.</summary>
    public int PromptsPerCaption { get; init => field = OptionCheck.Range(value, 1, 256, nameof(PromptsPerCaption)); } = 1;

    /// <summary>Mixed with each grid's id into its seed. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>How grids are cut.</summary>
    public PanelCutterOptions Cutting { get; init => field = value ?? throw new ArgumentNullException(nameof(Cutting)); } = new();

    /// <summary>Which captions are this process's. Default all.</summary>
    public Shard Shard { get; init => field = value ?? throw new ArgumentNullException(nameof(Shard)); } = Shard.Whole;

    /// <summary>Grids that are drawn together, 1 to 256. Default 4.</summary>
    public int BatchSize { get; init => field = OptionCheck.Range(value, 1, 256, nameof(BatchSize)); } = 4;

    /// <summary>Captions whose prompts are written at the same time, 1 to 1024. Default 8.</summary>
    public int Writers { get; init => field = OptionCheck.Range(value, 1, 1024, nameof(Writers)); } = 8;

    /// <summary>Pairs that are judged at the same time, 1 to 4096. Default 16.</summary>
    public int Judges { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Judges)); } = 16;

    /// <summary>
    /// The run ends after so many failures without a success between, 1 to 1,000,000; single ones are noted and left for the next run.
    /// Default 50.
    /// </summary>
    public int MostFailures { get; init => field = OptionCheck.Range(value, 1, 1_000_000, nameof(MostFailures)); } = 50;

    /// <summary>What else results depend on, as any text: a judge's settings, say. Part of <see cref="Fingerprint"/>. Default none.</summary>
    public string DependsOn { get; init => field = value ?? throw new ArgumentNullException(nameof(DependsOn)); } = "";

    /// <summary>The layout that grids have.</summary>
    public GridLayout GridLayout => Layout ?? Task.Layout;

    /// <summary>
    /// All that results depend on, as JSON: a folder that was begun with something else is refused. The shard and how much is done at once
    /// are not part of it.
    /// </summary>
    /// <param name="writer">What writes prompts.</param>
    /// <param name="teacher">What draws.</param>
    /// <param name="judge">What judges.</param>
    public string Fingerprint(string writer, string teacher, string judge) => JsonSerializer.Serialize(new
    {
        task = Task.Name,
        texts = Hex(Texts())[..16],
        pairs = Task.Pairs.ToString(),
        layout = GridLayout.ToString(),
        prompts_per_caption = PromptsPerCaption,
        seed = Seed,
        cutting = new { Cutting.PanelWidth, Cutting.PanelHeight, Cutting.MaxTrim, Cutting.Tolerance },
        writer,
        drawer = teacher,
        judge,
        depends_on = DependsOn,
    });

    /// <summary>The seed of a grid: follows from the run's seed and the grid's id alone.</summary>
    public long SeedOf(string promptId) => BitConverter.ToInt64(Hash(FormattableString.Invariant($"{Seed} {promptId}"))) & long.MaxValue;

    // The names are those of the first version: a folder that it began goes on.
    private string Texts()
    {
        GridTemplates t = Task.Templates;
        var templates = new { Sheets = t.Grids, t.Panel, t.Caption, t.Separator, t.Contexts, t.ContextKinds };
        return JsonSerializer.Serialize(new { Templates = templates, Task.Writer, Task.Judge, Task.RejectedFlags });
    }

    private static string Hex(string text) => Convert.ToHexStringLower(Hash(text));

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
