using System.CommandLine;
using System.Globalization;
using Dsd.Common.Files;
using Dsd.Curation.Enhancing;
using Dsd.Imaging;
using Dsd.Lab.Study;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using static TorchSharp.torch;

namespace Dsd.Lab.Commands;

/// <summary><c>dsd-lab enhance</c>: pictures of the embedded student with prompts as they are and enhanced, for <c>dsd evaluate --dreambench</c>.</summary>
internal static class EnhanceCommand
{
    private const int Seed = 7;
    private const int Batch = 4;

    public static Command Create(Terminal terminal)
    {
        Option<string> folder = new("--out")
        {
            Description = "The folder to write: 'asked' and 'enhanced', each in DreamBench++'s layout.",
            HelpName = "FOLDER",
            Required = true,
        };
        Option<int> subjects = new Option<int>("--subjects")
        {
            Description = "How many subjects that no training has seen.",
            HelpName = "N",
            DefaultValueFactory = _ => 20,
        }.Between(1, 1000);
        Option<int> prompts = new Option<int>("--prompts")
        {
            Description = "How many prompts for each.",
            HelpName = "N",
            DefaultValueFactory = _ => 4,
        }.Between(1, 4);
        Option<int?> steps = new Option<int?>("--steps")
        {
            Description = "Steps of sampling; as the model's preset says if left out.",
            HelpName = "N",
        }.Between(1, 1000);
        Command command = new("enhance", "Draw with prompts as they are and enhanced, to measure what enhancing does.") { folder, subjects, prompts, steps };
        command.SetAction(async (parsed, cancel) =>
        {
            string target = parsed.GetRequiredValue(folder);
            WritablePlace.RequireFolder(target);
            IReadOnlyList<StudyCase> cases = StudyCases.Draw(Seed, parsed.GetValue(subjects), parsed.GetValue(prompts));
            await Task.Run(() => RunAsync(terminal, target, cases, parsed.GetValue(steps), cancel), cancel);
            terminal.Output.WriteLine(target);
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task RunAsync(Terminal terminal, string target, IReadOnlyList<StudyCase> cases, int? steps, CancellationToken cancel)
    {
        using TinyEnhancer client = TinyEnhancer.Load();
        PromptEnhancer enhancer = new(client);
        using IStudyGenerator generator = DsdSystem.Open(
            TinyModel.Folder, CPU, TinyModel.AdapterFile, TinyModel.Sampling with { Steps = steps ?? TinyModel.Sampling.Steps });
        int done = 0;
        foreach (StudyCase[] batch in cases.Chunk(Batch))
        {
            List<StudyCase> enhanced = [];
            foreach (StudyCase one in batch)
            {
                EnhancedPrompt prompt = await enhancer.EnhanceAsync(one.Prompt.Text, one.Reference, cancel).ConfigureAwait(false);
                if (prompt.Failure is { } failure)
                {
                    throw new InvalidOperationException(failure);
                }
                enhanced.Add(one with { Prompt = one.Prompt with { Text = prompt.Prompt } });
            }
            Write(Path.Combine(target, "asked"), batch, generator.Draw(batch, cancel), done);
            // The measure asks for what was asked for, not for what was added.
            Write(Path.Combine(target, "enhanced"), batch, generator.Draw(enhanced, cancel), done);
            done += batch.Length;
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"drawn: {done} of {cases.Count}"));
        }

        void Write(string system, StudyCase[] batch, IReadOnlyList<Picture> pictures, int before)
        {
            int prompts = cases.Count(c => c.SubjectIndex == 0);
            for (int i = 0; i < batch.Length; i++)
            {
                string item = string.Create(CultureInfo.InvariantCulture, $"animal_{batch[i].SubjectIndex:000}/{(before + i) % prompts}_0");
                batch[i].Reference.Save(Path.Combine(system, "src_image", $"{item}.png"));
                pictures[i].Save(Path.Combine(system, "tgt_image", $"{item}.png"));
                string text = Path.Combine(system, "text", $"{item}.txt");
                Directory.CreateDirectory(Path.GetDirectoryName(text)!);
                File.WriteAllText(text, batch[i].Prompt.Text);
            }
        }
    }
}
