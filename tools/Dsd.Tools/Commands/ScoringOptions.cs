using System.CommandLine;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Metrics;

namespace Dsd.Tools.Commands;

/// <summary>The options that say who scores pictures, how often, and in whose words.</summary>
internal sealed class ScoringOptions
{
    private readonly Option<string?> _chat = ScoringModel.Option("for judged scores, unless '--judges' names others");
    private readonly Option<string[]> _names = new("--judges")
    {
        Description = "The models of '--chat' that are asked, by their names there, in place of the first that judges. With several, each one's scores are "
            + "reported, and how far they agree.",
        HelpName = "NAME",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };
    private readonly Option<string?> _rubrics = new("--rubrics")
    {
        Description = "A folder of texts for the judge in place of this program's own, such as the prompts of DreamBench++.",
        HelpName = "FOLDER",
    };
    private readonly Option<int> _repeats = new Option<int>("--repeats")
    {
        Description = "How often a judge is asked each question.",
        HelpName = "N",
        DefaultValueFactory = _ => new ScoreJudgeOptions().Repeats,
    }.Between(1, 100);

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> All => [_chat, _names, _rubrics, _repeats];

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in All)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Opens the judges.</summary>
    /// <exception cref="UsageException">A judge is named twice.</exception>
    /// <exception cref="InvalidDataException">The file is wrong, or names a model that nobody knows.</exception>
    public ScoringJudges Open(ParseResult parsed)
    {
        string[] names = parsed.GetValue(_names) ?? [];
        if (names.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new UsageException($"Option '--judges' must name each model once, but names '{twice.Key}' {twice.Count()} times.");
        }
        Rubrics? rubrics = parsed.GetValue(_rubrics) is { } texts ? Rubrics.Of(texts) : null;
        return new ScoringJudges(ScoringModel.Open(parsed.GetValue(_chat), names), rubrics, parsed.GetValue(_repeats));
    }
}

/// <summary>The judges that score pictures.</summary>
internal sealed class ScoringJudges(IReadOnlyList<ScoringModel> models, Rubrics? rubrics, int repeats) : IDisposable
{
    /// <summary>A metric's makers: a judge, its words, what its scores depend on, and whether there are several.</summary>
    public delegate IEnumerable<JudgedMetric> Maker(ScoreJudge judge, Rubrics? rubrics, string dependsOn, bool several);

    /// <summary>The metrics of each judge.</summary>
    public IReadOnlyList<IPairMetric> Metrics(Maker make) =>
    [
        .. models.SelectMany(model => make(
            new ScoreJudge(model.Client, new ScoreJudgeOptions { Name = model.Name, Repeats = repeats, Chat = model.Options }),
            rubrics, model.DependsOn, models.Count > 1)),
    ];

    public void Dispose()
    {
        foreach (ScoringModel model in models)
        {
            model.Dispose();
        }
    }
}
