using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dsd.Tools.Loop;
using Spectre.Console;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd run</c>: all stages that a file names, each by the command that does it.</summary>
internal static class RunCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public static Command Create(Terminal terminal)
    {
        Argument<string> file = new("FILE") { Description = "A YAML file with a section for each stage; a section's keys are the options of its command." };
        Option<string?> from = new("--from") { Description = "Leave out the stages before this one.", HelpName = "STAGE" };
        Option<string?> until = new("--until") { Description = "Leave out the stages after this one.", HelpName = "STAGE" };
        Option<bool> dry = new("--dry-run") { Description = "Check the file, write the commands to standard output, and end." };
        Option<bool> separate = new("--separate")
        {
            Description = "Run each stage in a process of its own: what it takes of a GPU's memory is free for the next, and libtorch and ONNX Runtime, which "
                + "need different CUDAs, do not meet.",
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object: each stage's state, command, seconds and results." };
        string sections = string.Join(", ", LoopSection.All.Select(s => s.Name));
        from.CompletionSources.Add([.. LoopSection.All.Select(s => s.Name)]);
        until.CompletionSources.Add([.. LoopSection.All.Select(s => s.Name)]);
        Command command = new("run", $"Run all stages that a file names ({sections}), or go on where an earlier call stopped.")
        {
            file, from, until, dry, separate, json,
        };
        command.SetAction((parsed, cancel) => Task.Run(
            async () =>
            {
                LoopPlan plan = LoopPlan.Open(parsed.GetRequiredValue(file), DsdCli.Program);
                IReadOnlyList<LoopStage> selected = Selected(plan, parsed.GetValue(from), parsed.GetValue(until));
                LoopRun run = new(
                    terminal, plan,
                    parsed.GetValue(separate) ? new CommandProcess(terminal.Error) : new CommandInProcess(DsdCli.Program, terminal.Error));
                if (parsed.GetValue(dry))
                {
                    Write(terminal, plan, run.Look(selected), parsed.GetValue(json), commands: true);
                    return ExitCode.Done;
                }
                (IReadOnlyList<LoopOutcome> outcomes, int exitCode) = await run.RunAsync(selected, cancel).ConfigureAwait(false);
                if (exitCode == ExitCode.Done)
                {
                    Write(terminal, plan, outcomes, parsed.GetValue(json), commands: false);
                }
                return exitCode;
            },
            cancel));
        return command;
    }

    private static LoopStage[] Selected(LoopPlan plan, string? from, string? until)
    {
        int Index(string option, string? name, bool last, int otherwise)
        {
            if (name is null)
            {
                return otherwise;
            }
            int[] found = [.. Enumerable.Range(0, plan.Stages.Count).Where(i => plan.Stages[i].Name == name || plan.Stages[i].Section.Name == name)];
            return found.Length > 0
                ? last ? found[^1] : found[0]
                : throw new UsageException($"Option '{option}' must name one of the stages {string.Join(", ", plan.Stages.Select(s => s.Name))}, but is "
                    + $"'{Printable.Line(name, 60)}'.");
        }
        int first = Index("--from", from, last: false, 0), end = Index("--until", until, last: true, plan.Stages.Count - 1);
        return first <= end
            ? [.. plan.Stages.Skip(first).Take(end - first + 1)]
            : throw new UsageException($"'--from {from}' comes after '--until {until}': no stage is left.");
    }

    private static void Write(Terminal terminal, LoopPlan plan, IReadOnlyList<LoopOutcome> outcomes, bool json, bool commands)
    {
        if (json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(new { @out = plan.Root, stages = outcomes }, Json));
        }
        else if (commands)
        {
            foreach (LoopOutcome outcome in outcomes.Where(o => o.State != LoopOutcome.LeftOut))
            {
                terminal.Output.WriteLine(outcome.State == LoopOutcome.ToDo ? outcome.Command : $"# {outcome.State}: {outcome.Command}");
            }
        }
        else
        {
            Table table = new() { Border = TableBorder.Simple };
            table.AddColumn("stage").AddColumn("state").AddColumn(new TableColumn("seconds") { Alignment = Justify.Right }).AddColumn("results");
            foreach (LoopOutcome outcome in outcomes)
            {
                table.AddRow(
                    outcome.Stage, outcome.State, outcome.Seconds.ToString("0.0", CultureInfo.InvariantCulture),
                    Markup.Escape(Printable.Line(string.Join(", ", outcome.Results))));
            }
            terminal.Results.Write(table);
        }
    }
}
