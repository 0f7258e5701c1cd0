using System.CommandLine;
using Dsd.Models.Families;
using Dsd.Models.Training.Planning;
using Dsd.Tools.Train;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd train</c>: an adapter that makes a model take a reference, from datasets of pairs.</summary>
internal static class TrainCommand
{
    // A long prompt that is cut is told of once a pair: enough is enough.
    private const int MostWarnings = 20;

    public static Command Create(Terminal terminal)
    {
        TrainOptions options = new();
        Option<bool> plan = new("--plan") { Description = "Say what training would take in each setting, and end." };
        Option<bool> json = new("--json") { Description = "Write the plan, or the paths that were written, as one JSON object." };
        Command command = new("train", "Train an adapter on pairs, so that a model draws the subject of a reference.");
        options.AddTo(command);
        command.Options.Add(plan);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancel) =>
        {
            bool planOnly = parsed.GetValue(plan);
            if (parsed.GetValue(json) && !planOnly)
            {
                terminal.Keep();
            }
            HashSet<string> warned = [];
            TrainRequest request = options.Read(parsed, planOnly, message =>
            {
                if (warned.Count < MostWarnings && warned.Add(message))
                {
                    terminal.Warn(message);
                }
            });
            if (request.Gpus > 1 && !planOnly)
            {
                int exitCode = await GroupLaunch.RunAsync(terminal, parsed, request.Gpus, request.Device, parsed.GetValue(json), cancel);
                WrittenJson.Write(terminal, parsed, exitCode);
                return exitCode;
            }
            await Task.Run(
                () =>
                {
                    if (planOnly)
                    {
                        Plan(terminal, request, parsed.GetValue(json));
                    }
                    else
                    {
                        new TrainRun(terminal, request).Run(cancel);
                    }
                },
                cancel);
            WrittenJson.Write(terminal, parsed, ExitCode.Done);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Plan(Terminal terminal, TrainRequest request, bool json)
    {
        (TrainingPlan chosen, IReadOnlyList<TrainingPlan> all) = TrainPlan.Of(ModelPresets.Resolve(request.Model), request, PlanSeconds.All);
        if (json)
        {
            terminal.Output.WriteLine(TrainRecord.PlanOf(chosen, all).ToJsonString(TrainOptionsFile.Json));
        }
        else
        {
            TrainPlan.Show(terminal, chosen, all);
        }
    }
}
