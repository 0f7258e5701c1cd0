using System.CommandLine;
using Dsd.Imaging;
using Dsd.Tiny.World;

namespace Dsd.Lab.Commands;

/// <summary><c>dsd-lab world</c>: a picture of the small world, a subject in each row and a context in each column.</summary>
internal static class WorldCommand
{
    private const int Gap = 4;

    public static Command Create(Terminal terminal)
    {
        Option<string> file = new("--out") { Description = "The PNG file to write.", HelpName = "FILE.png", Required = true };
        Option<ulong> seed = new("--seed") { Description = "Which subjects and contexts.", HelpName = "N" };
        Option<int> subjects = new Option<int>("--subjects")
        {
            Description = "Rows: subjects, 1 to 32.",
            HelpName = "N",
            DefaultValueFactory = _ => 6,
        }.Between(1, 32);
        Option<int> contexts = new Option<int>("--contexts")
        {
            Description = "Columns: contexts, 1 to 32.",
            HelpName = "N",
            DefaultValueFactory = _ => 8,
        }.Between(1, 32);
        Option<bool> heldOut = new("--held-out") { Description = "Subjects that training never sees, instead of those that it may." };
        Command command = new("world", "Draw subjects of the small world in several contexts.") { file, seed, subjects, contexts, heldOut };
        command.SetAction(async (parsed, cancel) =>
        {
            string path = parsed.GetRequiredValue(file);
            OutputFile.CheckPicture(path);
            await Task.Run(() =>
                Draw(path, parsed.GetValue(seed), parsed.GetValue(subjects), parsed.GetValue(contexts), parsed.GetValue(heldOut), cancel), cancel);
            terminal.Output.WriteLine(path);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Draw(string path, ulong seed, int subjects, int contexts, bool heldOut, CancellationToken cancel)
    {
        WorldRandom random = new(seed);
        Context[] columns = [.. Enumerable.Range(0, contexts).Select(_ => WorldSampler.SampleContext(random))];
        List<Picture> panels = [];
        foreach (Subject subject in WorldSampler.Subjects(seed, heldOut).Take(subjects))
        {
            cancel.ThrowIfCancellationRequested();
            panels.AddRange(columns.Select(context => Renderer.Draw(subject, context)));
        }
        ContactSheet.Arrange(panels, contexts, Gap).Save(path);
    }
}
