using System.CommandLine;
using Dsd.Lab.Commands;
using Dsd.Tiny;

namespace Dsd.Lab;

/// <summary>The command line of the lab, in which the embedded model is made and measured.</summary>
internal static class LabCli
{
    /// <summary>The program.</summary>
    public static CommandProgram Program { get; } = new("dsd-lab", Commands);

    private static RootCommand Commands(Terminal terminal)
    {
        TinyModel.Register();
        return new("Train and measure the embedded model, and draw its small world.")
        {
            WorldCommand.Create(terminal),
            DrawCommand.Create(terminal),
            TrainCommand.Create(terminal),
            ReportCommand.Create(terminal),
            LookCommand.Create(terminal),
            JudgeCommand.Create(terminal),
            StudyCommand.Create(terminal),
            MeasureCommand.Create(terminal),
            EnhanceCommand.Create(terminal),
        };
    }
}
