using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dsd.Curation.Axes;
using Dsd.Runs;
using Dsd.Tools.Curate;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd curate axes</c>: scores a run's judged pairs by axes, beside their verdicts.</summary>
internal static class CurateAxesCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> path = new("FOLDER") { Description = "The run's folder." };
        Option<string?> chat = ScoringModel.Option("about each pair");
        Option<bool> kept = new("--kept-only") { Description = "Score only pairs that the judges or people kept." };
        Option<int> pairs = new Option<int>("--judges")
        {
            Description = "Pairs that are scored at the same time.",
            HelpName = "N",
            DefaultValueFactory = _ => new AxesRunOptions().Concurrency,
        }.Between(1, 4096);
        Command command = new("axes", "Score judged pairs by axes, part by part; datasets can then be cut by them without asking again.")
        {
            path, chat, kept, pairs,
        };
        command.SetAction((parsed, cancel) => Task.Run(
            () => RunAsync(
                terminal,
                parsed.GetRequiredValue(path),
                parsed.GetValue(chat),
                new AxesRunOptions { KeptOnly = parsed.GetValue(kept), Concurrency = parsed.GetValue(pairs) },
                cancel),
            cancel));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, string path, string? chat, AxesRunOptions options, CancellationToken cancel)
    {
        using ScoringModel model = ScoringModel.Open(chat);
        await using RunFolder folder = RunFolder.Open(path);
        AxesJudge judge = new(model.Client, new AxesJudgeOptions { Name = model.Name, Chat = model.Options });
        ProgressLine<AxesProgress> line = new(terminal, (p, _) => Text(p));
        await using SharedBudget budget = await SharedBudget.StartAsync(folder, model.Budget).ConfigureAwait(false);
        AxesProgress done;
        try
        {
            done = await new AxesRun(folder, judge, options) { Progress = line }.RunAsync(cancel).ConfigureAwait(false);
        }
        finally
        {
            line.Close();
        }
        terminal.Output.WriteLine(terminal.AsJson
            ? JsonSerializer.Serialize(new { scored = done.Scored, known = done.Known, unreadable = done.Unreadable, failed = done.Failed })
            : Text(done));
        if (done is { Scored: 0, Known: 0 } && done.Unreadable + done.Failed > 0)
        {
            terminal.Fail(
                $"No pair was scored: {done.Unreadable} had answers that could not be read, and {done.Failed} failed.");
            return ExitCode.Failed;
        }
        return ExitCode.Done;
    }

    private static string Text(AxesProgress p) => string.Create(
        CultureInfo.InvariantCulture, $"{p.Scored} pairs scored, {p.Known} had scores, {p.Unreadable} without a readable answer, {p.Failed} failed");
}
