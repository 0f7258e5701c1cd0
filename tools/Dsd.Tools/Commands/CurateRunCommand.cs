using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Runs;
using Dsd.Tools.Curate;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd curate run</c>: runs or continues a curation run in one process.</summary>
internal sealed class CurateRunCommand
{
    private readonly Terminal _terminal;
    private readonly CaptionOptions _captions = new();
    private readonly CurateOptions _options = new();
    private readonly Option<string> _out = new("--out")
    {
        Description = "The run's folder. A run that was interrupted continues in it, and nothing is done twice.",
        HelpName = "FOLDER",
        Required = true,
    };
    private readonly Option<Shard> _shard = new("--shard")
    {
        Description = "Only this share of the captions, such as 2/8: every share is a process of its own with a folder of its own, and 'dsd curate "
            + "merge' puts them together.",
        HelpName = "i/n",
        DefaultValueFactory = _ => Shard.Whole,
        CustomParser = result =>
        {
            try
            {
                return Shard.Parse(result.Tokens[0].Value);
            }
            catch (FormatException e)
            {
                result.AddError($"Option '--shard': {e.Message}");
                return null;
            }
        },
    };

    private CurateRunCommand(Terminal terminal) => _terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        CurateRunCommand run = new(terminal);
        Command command = new("run", "Write prompts, draw grids and judge pairs, until all captions are through.") { run._out, run._shard };
        run._captions.AddTo(command);
        run._options.AddTo(command);
        command.SetAction((parsed, cancel) => Task.Run(() => run.RunAsync(parsed, cancel), cancel));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        string path = parsed.GetRequiredValue(_out);
        WritablePlace.RequireFolder(path);
        (RunOptions options, ChatSettings chat) = _options.Run(parsed, parsed.GetRequiredValue(_shard));
        _options.CheckTeacher(parsed, options.GridLayout);
        using GateOptions.Gate? gate = _options.Gate(parsed, _terminal.Warn);
        IEnumerable<Dsd.Runs.Ledger.SeedCaption> captions = _captions.Read(parsed, options.Seed);
        await using RunFolder folder = RunFolder.Open(path);
        using ChatRoles roles = CurateOptions.Roles(options, chat);
        IPairJudge judge = gate?.Before(roles.Judge) ?? roles.Judge;
        List<string> warnings = [];
        using GridTeacher teacher = _options.Teacher(parsed, options.GridLayout, warnings.Add);
        foreach (string warning in warnings.Distinct())
        {
            _terminal.Warn(warning);
        }
        ProgressLine<RunProgress> line = new(_terminal, ProgressText.Of);
        await using SharedBudget budget = await SharedBudget.StartAsync(folder, roles.Budget).ConfigureAwait(false);
        try
        {
            await new CurationRun(folder, options, roles.Writer, teacher, judge, roles.Captioner) { Progress = line }.RunAsync(
                captions.ToAsyncEnumerable(), cancel).ConfigureAwait(false);
        }
        finally
        {
            line.Close();
        }
        RunSummary.Write(_terminal, folder);
        return RunOutcome.Of(_terminal, folder);
    }
}
