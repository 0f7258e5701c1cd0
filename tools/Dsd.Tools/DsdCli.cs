using System.CommandLine;
using Dsd.Tiny;
using Dsd.Tools.Commands;

namespace Dsd.Tools;

/// <summary>The command line of <c>dsd</c>.</summary>
internal static class DsdCli
{
    /// <summary>The program.</summary>
    public static CommandProgram Program { get; } = new("dsd", Commands);

    private static RootCommand Commands(Terminal terminal)
    {
        TinyModel.Register();
        RootCommand root = new("Diffusion Self-Distillation: look into models, train adapters, export to ONNX, and draw pictures.")
        {
            InspectCommand.Create(terminal),
            DoctorCommand.Create(terminal),
            RunCommand.Create(terminal),
            ExportCommand.Create(terminal),
            MergeCommand.Create(terminal),
            GenerateCommand.Create(terminal),
            ServeCommand.Create(terminal),
            DatasetCommand.Create(terminal),
            ReviewCommand.Create(terminal),
            CurateCommand.Create(terminal),
            TrainCommand.Create(terminal),
            EvaluateCommand.Create(terminal),
            BenchCommand.Create(terminal),
            CompletionCommand.Create(terminal),
        };
        WrittenJson.AddTo(root, terminal);
        HelpExamples.AddTo(root, terminal);
        return root;
    }
}
