using System.Globalization;
using System.Text.Json;
using Dsd.Evaluation.Benchmarks.ViStoryBench;
using Dsd.Evaluation.Encoders;
using Dsd.Onnx.Runtime;
using Spectre.Console;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd evaluate --vistory</c>: ViStoryBench's CSD, self and cross, of one run or several.</summary>
internal sealed class StoryEvaluation(Terminal terminal, OnnxRuntimeOptions runtime)
{
    /// <summary>Measures, and writes results below a folder as the benchmark does.</summary>
    /// <param name="stories">The benchmark's stories.</param>
    /// <param name="folders">The runs' pictures: METHOD/MODE/LANGUAGE/TIMESTAMP each.</param>
    /// <param name="encoders">CSD, alone.</param>
    /// <param name="target">The root of results.</param>
    /// <param name="json">Whether the means are written as one JSON object.</param>
    /// <param name="cancel">Stops the work; what was written stays.</param>
    public int Run(string stories, string[] folders, string[] encoders, string target, bool json, CancellationToken cancel)
    {
        if (folders.Length == 0 || encoders.Length != 1)
        {
            throw new UsageException("Option '--vistory' goes with '--generated' and with one '--encoders', which is CSD.");
        }
        StoryRun[] runs = [.. folders.Select(StoryRun.Of)];
        StoryFolder benchmark = StoryFolder.Open(stories);
        using PictureEncoder csd = PictureEncoder.Open(encoders[0], runtime);
        if (csd.Folder.Kind != EncoderKind.Csd)
        {
            throw new UsageException($"Option '--vistory' measures with CSD, but '{encoders[0]}' is {csd.Folder.Kind}.");
        }
        (string Folder, StoryStyleScores Scores)[] measured =
        [
            .. folders.Zip(runs, (folder, run) => (folder, StoryStyleMeasure.Measure(
                csd, benchmark, StoryOutputs.Open(folder), run, target, progress: new StoryLine(terminal), cancellationToken: cancel))),
        ];
        foreach ((string folder, StoryStyleScores scores) in measured.Where(m => m.Scores.Missing.Count > 0))
        {
            terminal.Warn($"'{folder}' has no picture of {scores.Missing.Count} stories, which do not count: {string.Join(", ", scores.Missing.Take(5))}.");
        }
        if (json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(new
            {
                runs = measured.Select(m => new { folder = m.Folder, csd_self = m.Scores.Self, csd_cross = m.Scores.Cross, stories = m.Scores.Stories.Count }),
            }));
        }
        else
        {
            Write(measured);
        }
        return ExitCode.Done;
    }

    private void Write(IEnumerable<(string Folder, StoryStyleScores Scores)> measured)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumns("run", "CSD self", "CSD cross", "stories");
        foreach ((string folder, StoryStyleScores scores) in measured)
        {
            table.AddRow(
                Markup.Escape(Printable.Line(folder)), Number(scores.Self), Number(scores.Cross), scores.Stories.Count.ToString(CultureInfo.InvariantCulture));
        }
        terminal.Results.Write(table);
    }

    private static string Number(double number) => number.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>Says which story was measured, as soon as it was.</summary>
    private sealed class StoryLine(Terminal terminal) : IProgress<string>
    {
        public void Report(string value) => terminal.Error.WriteLine($"measured: story {value}");
    }
}
