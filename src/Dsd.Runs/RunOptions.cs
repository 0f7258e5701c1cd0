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

    /// <summary>How the panels of a sheet lie. Null, the default: as the task says.</summary>
    public GridLayout? Layout { get; init; }

    /// <summary>Sheets for each caption, 1 to 256. Default 1.</summary>
    public int PromptsPerCaption { get; init => field = OptionCheck.Range(value, 1, 256, nameof(PromptsPerCaption)); } = 1;

    /// <summary>Mixed with each sheet's id into its seed. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>How sheets are cut.</summary>
    public PanelCutterOptions Cutting { get; init => field = value ?? throw new ArgumentNullException(nameof(Cutting)); } = new();

    /// <summary>Which captions are this process's. Default all.</summary>
    public Shard Shard { get; init => field = value ?? throw new ArgumentNullException(nameof(Shard)); } = Shard.Whole;

    /// <summary>Sheets that are drawn together, 1 to 256. Default 4.</summary>
    public int BatchSize { get; init => field = OptionCheck.Range(value, 1, 256, nameof(BatchSize)); } = 4;

    /// <summary>Captions whose prompts are written at the same time, 1 to 1024. Default 8.</summary>
    public int Writers { get; init => field = OptionCheck.Range(value, 1, 1024, nameof(Writers)); } = 8;

    /// <summary>Pairs that are judged at the same time, 1 to 4096. Default 16.</summary>
    public int Judges { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Judges)); } = 16;

    /// <summary>The run ends after so many failures without a success between, 1 to 1,000,000; single ones are noted and left for the next run. Default 50.</summary>
    public int MostFailures { get; init => field = OptionCheck.Range(value, 1, 1_000_000, nameof(MostFailures)); } = 50;

    /// <summary>What else results depend on, as any text: a judge's settings, say. Part of <see cref="Fingerprint"/>. Default none.</summary>
    public string DependsOn { get; init => field = value ?? throw new ArgumentNullException(nameof(DependsOn)); } = "";

    /// <summary>The layout that sheets have.</summary>
    public GridLayout SheetLayout => Layout ?? Task.Layout;

    /// <summary>All that results depend on, as JSON: a folder that was begun with something else is refused. The shard and how much is done at once are not part of it.</summary>
    /// <param name="writer">What writes prompts.</param>
    /// <param name="drawer">What draws.</param>
    /// <param name="judge">What judges.</param>
    public string Fingerprint(string writer, string drawer, string judge) => JsonSerializer.Serialize(new
    {
        task = Task.Name,
        texts = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { Task.Templates, Task.Writer, Task.Judge, Task.RejectedFlags }))))[..16],
        pairs = Task.Pairs.ToString(),
        layout = SheetLayout.ToString(),
        prompts_per_caption = PromptsPerCaption,
        seed = Seed,
        cutting = new { Cutting.PanelWidth, Cutting.PanelHeight, Cutting.MaxTrim, Cutting.Tolerance },
        writer,
        drawer,
        judge,
        depends_on = DependsOn,
    });

    /// <summary>The seed of a sheet: follows from the run's seed and the sheet's id alone.</summary>
    public long SeedOf(string promptId) => BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{Seed} {promptId}")))) & long.MaxValue;
}
