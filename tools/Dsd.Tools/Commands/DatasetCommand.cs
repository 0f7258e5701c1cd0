using System.CommandLine;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd dataset</c>: datasets of pairs, written from runs and looked into.</summary>
internal static class DatasetCommand
{
    public static Command Create(Terminal terminal) => new("dataset", "Write a run's pairs as a dataset, and say what a dataset holds.")
    {
        DatasetWriteCommand.Create(terminal),
        DatasetPreferencesCommand.Create(terminal),
        DatasetInspectCommand.Create(terminal),
    };
}
