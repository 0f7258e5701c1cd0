using System.Globalization;
using Dsd.Models.Training;
using Dsd.Models.Training.Planning;
using Spectre.Console;

namespace Dsd.Tools.Train;

/// <summary>The plan of a run: made, and shown.</summary>
internal static class TrainPlan
{
    /// <summary>Makes the plan.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="seconds">For which settings seconds are found out.</param>
    /// <exception cref="UsageException">Options contradict each other or do not fit the model.</exception>
    /// <exception cref="InvalidOperationException">No setting fits.</exception>
    public static (TrainingPlan Chosen, IReadOnlyList<TrainingPlan> All) Of(string folder, TrainRequest request, PlanSeconds seconds)
    {
        try
        {
            return TrainingModel.Plan(folder, request.Training, request.Base, seconds);
        }
        catch (ArgumentException e)
        {
            throw new UsageException(
                ErrorText.OneLine(e)
                    .Replace("Targets ", "Option '--targets': ", StringComparison.Ordinal)
                    .Replace("option Condition", "option '--condition'", StringComparison.Ordinal),
                e);
        }
    }

    /// <summary>Shows the plan as a table.</summary>
    public static void Show(Terminal terminal, TrainingPlan chosen, IReadOnlyList<TrainingPlan> all)
    {
        Table table = new() { Border = TableBorder.Simple };
        foreach (string heading in new[] { "setting", "memory GiB", "s a step", "chosen" })
        {
            table.AddColumn(new TableColumn(heading) { Alignment = heading is "memory GiB" or "s a step" ? Justify.Right : Justify.Left });
        }
        foreach (TrainingPlan plan in all)
        {
            table.AddRow(
                plan.Setting.Name, (plan.MemoryBytes / (double)(1L << 30)).ToString("0.00", CultureInfo.InvariantCulture),
                plan.SecondsPerStep?.ToString("0.00", CultureInfo.InvariantCulture) ?? "not known", plan.Setting == chosen.Setting ? "yes" : "");
        }
        terminal.Results.Write(table);
    }
}
