using Dsd.Curation.Grids;
using Dsd.Curation.Tasks;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Dsd.Runs.RunApp;

// A curation run as a process of its own, to be killed: RunApp FOLDER LOG CAPTIONS. Or a merge: RunApp merge FOLDER OTHER.
if (args[0] == "merge")
{
    await using RunFolder target = RunFolder.Open(args[1]);
    Console.WriteLine("merging");
    await target.MergeAsync(args[2]);
    Console.WriteLine("done");
    return;
}
(string path, string log, int count) = (args[0], args[1], int.Parse(args[2]));
await using RunFolder folder = RunFolder.Open(path);
using WorkLog work = new(log);
RunOptions options =
    new() { Task = CurationTask.Load("character"), PromptsPerCaption = 2, BatchSize = RunLimits.Batch, Judges = RunLimits.Judges, Writers = 2 };
CurationRun run = new(folder, options, new TemplateGridPromptWriter(), new SeedTeacher(work), new PixelJudge(work));
Console.WriteLine("running");
RunProgress done = await run.RunAsync(Enumerable.Range(0, count).Select(i => new SeedCaption($"c{i}", $"a clay fox, number {i}")).ToAsyncEnumerable());
Console.WriteLine($"done {done.Judged}");
