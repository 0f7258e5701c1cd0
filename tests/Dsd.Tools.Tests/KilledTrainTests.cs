using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Dsd.CommandLine;
using Dsd.Dataset.Formats;
using Dsd.Testing;
using Dsd.Tiny;
using Xunit.Abstractions;

namespace Dsd.Tools.Tests;

/// <summary><c>dsd train</c> as a process that is killed, and called again until it is done.</summary>
public sealed partial class KilledTrainTests(ITestOutputHelper output) : IDisposable
{
    private const int Steps = 30;
    private const int CheckpointSteps = 3;
    private const int KillsOfARun = 5;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Trait("Category", "Long")]
    [Theory]
    [InlineData(5)]
    [InlineData(50)]
    public async Task ARunThatIsKilled_AndCalledAgain_GivesTheSameWeightsBitForBit(int kills)
    {
        Stopwatch watch = Stopwatch.StartNew();
        TrainPairs.Write(_folder.File("pairs"), PairFormat.Parquet, 4);
        TrainPairs.Noise(9, 64, 64).Save(_folder.File("reference.png"));
        string whole = _folder.File("whole");
        (int exitCode, string error) = await RunAsync(whole);
        Assert.True(exitCode == ExitCode.Done, error);
        byte[] expected = File.ReadAllBytes(Adapter(whole));
        string[] files = Files(whole);

        Random random = new(20261126);
        (int done, int resumed, int runs) = (0, 0, 0);
        Dictionary<string, int> moments = [];
        while (done < kills)
        {
            string run = _folder.File($"run{runs}");
            bool finished = false;
            bool killedBefore = false;
            for (int kill = 0; kill < KillsOfARun && done < kills && !finished; kill++)
            {
                (string name, Func<bool> moment) = Moment(run, kill, runs, random);
                (exitCode, error) = await RunAsync(run, moment);
                finished = exitCode == ExitCode.Done;
                resumed += killedBefore && GoesOn().IsMatch(error) ? 1 : 0;
                killedBefore = exitCode == KilledProcess.Killed;
                Assert.True(finished || killedBefore, $"{name}: exit code {exitCode}, {error}");
                done += killedBefore ? 1 : 0;
                if (killedBefore)
                {
                    moments[name] = moments.GetValueOrDefault(name) + 1;
                }
            }
            if (!finished)
            {
                (exitCode, error) = await RunAsync(run);
                Assert.True(exitCode == ExitCode.Done, error);
                resumed += GoesOn().IsMatch(error) ? 1 : 0;
            }
            runs++;
            Assert.True(runs <= kills, "Most processes end before their moment comes.");
            Assert.Equal(expected, File.ReadAllBytes(Adapter(run)));
            // No half of a file is left, in the run's folder or among temporary files, and none is missing.
            Assert.Equal(files, Files(run));
            Assert.Empty(Directory.EnumerateFileSystemEntries(Temporary(run)));
            Assert.Equal(Enumerable.Range(1, Steps), Logged(run));
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{done} kills in {runs} runs, {resumed} after a checkpoint, {watch.Elapsed.TotalSeconds:0} s:"));
        output.WriteLine(string.Join(", ", moments.Select(m => $"{m.Value} × {m.Key}")));
        Assert.Equal(kills, done);
        Assert.True(2 * resumed >= kills, $"Only {resumed} of {kills} kills came after the first checkpoint.");
    }

    /// <summary>When to kill: the first of a run as it begins, the last as it ends, those between by events and by time.</summary>
    private static (string Name, Func<bool> Moment) Moment(string run, int kill, int number, Random random)
    {
        int delay = random.Next(0, 60);
        string checkpoints = Path.Combine(run, "checkpoints");
        HashSet<string> there = [.. Named(checkpoints, "checkpoint-*.safetensors")];
        int began = Logged(run).LastOrDefault();
        int further = random.Next(1, 6);
        Func<bool> writes = () => Named(checkpoints, "*.part").Any();
        Func<bool> wrote = () => Named(checkpoints, "checkpoint-*.safetensors").Except(there).Any();
        Func<bool> steps = () => Logged(run).LastOrDefault() is var last && last != began && last >= began + further;
        (string, Func<bool>)[] first =
        [
            ("as it encodes", After(() => Directory.Exists(Path.Combine(run, "cache")), delay)),
            ("as it takes its first steps", After(() => Logged(run).Any(), delay)),
            ("as it writes its first checkpoint", writes),
            ("as its record is written", () => Named(run, "train.json*").Any()),
        ];
        (string, Func<bool>)[] last =
        [
            ("as the adapter is written", () => Named(run, "pytorch_lora_weights*").Any()),
            ("as it draws", After(() => File.Exists(Adapter(run)), delay)),
            ("as pictures are written", () => Named(Path.Combine(run, "samples"), $"step-{Steps:000000}.png*").Any()),
            ("as the report is written", () => Named(run, "report.html*").Any()),
            ("as the last checkpoint is written", () => Named(checkpoints, $"checkpoint-{Steps}.safetensors*").Any()),
        ];
        return kill switch
        {
            0 => first[number % first.Length],
            1 => ("after a checkpoint", After(wrote, delay)),
            2 => ("within the writing of a checkpoint", writes),
            3 => (number % 3) switch
            {
                0 => ("within steps", steps),
                1 => ("at a time", After(() => true, 1000 + 25 * delay)),
                _ => ("as pictures are written between steps", () => Named(Path.Combine(run, "samples"), "*.part").Any()),
            },
            _ => last[number % last.Length],
        };
    }

    /// <summary>So many milliseconds after another moment.</summary>
    private static Func<bool> After(Func<bool> moment, int milliseconds)
    {
        Stopwatch? since = null;
        return () =>
        {
            since ??= moment() ? Stopwatch.StartNew() : null;
            return since?.ElapsedMilliseconds >= milliseconds;
        };
    }

    /// <summary>Runs the command to its end, or to a moment at which it is killed.</summary>
    private async Task<(int ExitCode, string Error)> RunAsync(string run, Func<bool>? killAt = null)
    {
        Directory.CreateDirectory(Temporary(run));
        return await KilledProcess.RunAsync(
            [
                "train", "--model", TinyModel.Name, "--pairs", _folder.File("pairs"), "--out", run, "--steps", $"{Steps}",
                "--batch", "1", "--size", "32x32", "--report-every", "1", "--checkpoint-steps", $"{CheckpointSteps}", "--keep", "2", "--seed", "5",
                "--sample", "a fox", "--sample-reference", _folder.File("reference.png"), "--sample-every", "12",
            ],
            killAt,
            ("OMP_NUM_THREADS", "1"),
            ("TMPDIR", Temporary(run)));
    }

    private static string Adapter(string run) => Path.Combine(run, "pytorch_lora_weights.safetensors");

    private static string Temporary(string run) => $"{run}.tmp";

    private static string[] Named(string folder, string pattern)
    {
        try
        {
            return Directory.GetFiles(folder, pattern);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static string[] Files(string run) =>
    [
        .. Directory.EnumerateFileSystemEntries(run, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(run, f))
            .Where(f => !f.StartsWith("tensorboard", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];

    /// <summary>The steps in the log.</summary>
    private static int[] Logged(string run)
    {
        string log = Path.Combine(run, "log.jsonl");
        if (!File.Exists(log))
        {
            return [];
        }
        using StreamReader reader = new(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return [.. LoggedStep().Matches(reader.ReadToEnd()).Select(m => int.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture))];
    }

    [GeneratedRegex("^training: goes on from step [1-9]", RegexOptions.Multiline)]
    private static partial Regex GoesOn();

    [GeneratedRegex("""^\{"step":(\d+),.*\}$""", RegexOptions.Multiline)]
    private static partial Regex LoggedStep();
}
