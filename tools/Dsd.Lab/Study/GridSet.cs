using Dsd.Lab.Training;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study;

/// <summary>A set of grids that the teacher draws once and the judge looks at once, for every system that learns from it.</summary>
internal sealed class GridSet
{
    private readonly StudyContext _context;
    private readonly TeacherGridOptions _options;

    private GridSet(StudyContext context, string name, int count, bool relight = false, PromptStyle style = PromptStyle.Varied)
    {
        (_context, Name) = (context, name);
        _options = new TeacherGridOptions
        {
            ModelFolder = context.ModelFolder,
            PanelSize = TinyModel.PanelSize,
            Count = count,
            Steps = context.Config.GridSteps,
            Guidance = context.Config.Guidance,
            Seed = context.Config.Seed,
            WholeSubjectShare = context.Config.WholeSubjectShare,
            Style = style,
            Relight = relight,
        };
    }

    public string Name { get; }

    /// <summary>Whether all has been drawn and judged.</summary>
    public bool IsJudged => File.Exists(JudgedFile);

    /// <summary>One subject in two contexts, asked for in varied prompts.</summary>
    public static GridSet Varied(StudyContext context) => new(context, "varied", context.Config.Grids);

    /// <summary>The same subjects and contexts, all asked for with one template.</summary>
    public static GridSet OneTemplate(StudyContext context) => new(context, "one_template", context.Config.Grids, style: PromptStyle.OneTemplate);

    /// <summary>One picture under two lights.</summary>
    public static GridSet Relight(StudyContext context) => new(context, "relight", context.Config.RelightGrids, relight: true);

    /// <summary>All pairs, drawn as far as they are not there yet.</summary>
    public GridPair[] Pairs() =>
    [
        .. TeacherGrids.Draw(
            _options, _context.GridFolder(Name), _context.Devices, line => _context.Log($"grids: '{Name}': {line}"), _context.CancellationToken),
    ];

    /// <summary>What the judge made of the pairs: asked now, or read where it was asked before.</summary>
    public CuratedGrids Curate(GridPair[] pairs)
    {
        if (IsJudged)
        {
            return CuratedGrids.Load(JudgedFile);
        }
        using TinyJudge judge = TinyJudge.Load(_context.Part("judge"), _context.Device);
        GridCuration judged = GridCuration.Of(judge, pairs, _context.Config.LeastKeptShare);
        CuratedGrids curation = new(judge.SameThreshold, judged.CalledSame, judged.Kept);
        curation.Save(JudgedFile);
        _context.Log($"grids: the judge calls {judged.CalledSame} of {pairs.Length} grids '{Name}' the same subject; {curation.Kept.Count} kept");
        return curation;
    }

    private string JudgedFile => Path.Combine(_context.GridFolder(Name), "judged.json");

    /// <summary>The pairs that the judge keeps.</summary>
    public GridPair[] Kept()
    {
        GridPair[] pairs = Pairs();
        return [.. Curate(pairs).Kept.Select(i => pairs[i])];
    }
}
