using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Curation.Tasks;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Testing.Runs;

/// <summary>A run whose every result follows from its captions, and that takes no time.</summary>
public static class SampleRun
{
    public static RunOptions Options { get; } = new() { Task = CurationTask.Load("character"), PromptsPerCaption = 2, Seed = 5 };

    public static IGridPromptWriter Writer { get; } = new TemplateGridPromptWriter(Options.Task.Templates);

    public static SeedCaption[] Captions(int count) => [.. Enumerable.Range(0, count).Select(i => new SeedCaption($"c{i:0000}", $"a clay fox number {i}"))];

    public static async IAsyncEnumerable<SeedCaption> Streamed(IEnumerable<SeedCaption> captions)
    {
        foreach (SeedCaption caption in captions)
        {
            await Task.Yield();
            yield return caption;
        }
    }

    public static async Task<RunProgress> IntoAsync(
        string folder, IEnumerable<SeedCaption> captions, RunOptions? options = null, IGridTeacher? teacher = null, IPairJudge? judge = null)
    {
        await using RunFolder store = RunFolder.Open(folder);
        return await new CurationRun(store, options ?? Options, Writer, teacher ?? new SeededTeacher(), judge ?? new ByteJudge()).RunAsync(Streamed(captions));
    }
}
