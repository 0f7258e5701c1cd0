using System.Diagnostics.Metrics;
using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using Dsd.Testing;
using Dsd.Tiny;

namespace Dsd.Tools.Tests;

public sealed class TrainTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Out => _folder.File("out");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Train_WritesAnAdapterThatGenerateDrawsWith()
    {
        string pairs = Pairs("pairs", PairFormat.Parquet, 3);
        string reference = _folder.File("reference.png");
        TrainPairs.Noise(7, 64, 64).Save(reference);

        CliResult result = await Train(
            pairs, "--validate", pairs, "--validate-every", "2", "--sample", "a <fox>", "--sample-reference", reference, "--report-every", "1");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal([Adapter(Out), _folder.File("out", "report.html")], result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Matches(@"training: step 1 of 3, loss \d\.\d+, .* steps/s, .* GiB, .* left", result.Error);
        JsonElement[] log = [.. File.ReadLines(_folder.File("out", "log.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)];
        Assert.Equal([1, 2, 3], log.Select(l => l.GetProperty("step").GetInt32()));
        Assert.Equal([false, true, true], log.Select(l => l.GetProperty("validation_loss").ValueKind == JsonValueKind.Number));
        Assert.NotEmpty(Directory.EnumerateFiles(_folder.File("out", "tensorboard"), "events.out.tfevents.*"));
        string page = File.ReadAllText(_folder.File("out", "report.html"));
        Assert.Matches("<svg[^§]*<polyline[^§]*>step<[^§]*</svg>", page);
        Assert.Contains("a &lt;fox&gt;", page, StringComparison.Ordinal);
        Picture sheet = Picture.Load(_folder.File("out", "samples", "step-000003.png"));
        Assert.Equal((68, 32), (sheet.Width, sheet.Height));

        CliResult drawn = await Cli.Run(
            "generate", "--model", TinyModel.Name, "--lora", Adapter(Out), "--image", reference, "--prompt", "a fox", "--steps", "1", "--out",
            _folder.File("drawn.png"));
        Assert.True(drawn.ExitCode == ExitCode.Done, drawn.Error);
    }

    [Fact]
    public async Task Train_ThatIsStopped_GoesOnAsIfItHadNotBeen()
    {
        string pairs = Pairs("pairs", PairFormat.Parquet, 3);
        await Train(pairs, "--report-every", "1", "--out", _folder.File("whole"));
        using CancelledByLine error = new("training: step 1 of 3");
        int cut = await DsdCli.Program.RunAsync([.. Arguments(pairs), "--report-every", "1", "--out", Out], TextWriter.Null, error, error.Token);

        Assert.Equal(ExitCode.Failed, cut);
        Assert.Contains("The same command goes on", error.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(Adapter(Out)));
        CliResult resumed = await Train(pairs, "--report-every", "1");

        Assert.True(resumed.ExitCode == ExitCode.Done, resumed.Error);
        Assert.DoesNotContain("step 1 of 3", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(Adapter(_folder.File("whole"))), File.ReadAllBytes(Adapter(Out)));
        Assert.Equal(3, File.ReadLines(_folder.File("out", "log.jsonl")).Count());
    }

    [Theory]
    [InlineData("flipped")]
    [InlineData("cut off")]
    [InlineData("empty")]
    [InlineData("another file")]
    [InlineData("another run's")]
    public async Task Train_WithADamagedNewestState_GoesOnFromTheOneBefore(string damage)
    {
        string pairs = Pairs("pairs", PairFormat.Parquet, 2);
        string[] longer = ["--schedule", "constant", "--checkpoint-steps", "2", "--steps", "6"];
        CliResult whole = await Train(pairs, [.. longer, "--out", _folder.File("whole")]);
        Assert.True(whole.ExitCode == ExitCode.Done, whole.Error);
        Assert.DoesNotContain("goes on", whole.Error, StringComparison.Ordinal);
        await Train(pairs, [.. longer[..^1], "4"]);
        string newest = _folder.File("out", "checkpoints", "checkpoint-4.safetensors");
        byte[] state = File.ReadAllBytes(newest);
        switch (damage)
        {
            case "flipped":
                state[state.Length / 2] ^= 1;
                File.WriteAllBytes(newest, state);
                break;
            case "cut off":
                File.WriteAllBytes(newest, state[..(state.Length / 3)]);
                break;
            case "empty":
                File.WriteAllBytes(newest, []);
                break;
            case "another file":
                File.WriteAllBytes(newest, TrainPairs.Noise(1, 64, 64).EncodePng());
                break;
            default:
                // An adapter is a whole safetensors file, and no state.
                File.Copy(Adapter(Out), newest, overwrite: true);
                break;
        }

        CliResult resumed = await Train(pairs, longer);

        Assert.True(resumed.ExitCode == ExitCode.Done, resumed.Error);
        Assert.Contains($"warning: Damaged and passed over: '{newest}'. The run goes on from", resumed.Error, StringComparison.Ordinal);
        Assert.Contains("training: goes on from step 2", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(Adapter(_folder.File("whole"))), File.ReadAllBytes(Adapter(Out)));
        Assert.Equal(state.Length, new FileInfo(newest).Length);
    }

    [Fact]
    public async Task Train_InAFolderWithWhatAKilledProcessHadBegun_TakesThatAway()
    {
        string pairs = Pairs("pairs", PairFormat.Parquet, 1);
        string half = $".{Guid.NewGuid():N}.part";
        Directory.CreateDirectory(Out);
        Leave("out", $"train.json{half}");
        Leave("out", $".dsd-{Guid.NewGuid():N}");

        // Killed before its record stood: what lies there is nobody else's.
        CliResult first = await Train(pairs);

        Assert.True(first.ExitCode == ExitCode.Done, first.Error);
        string[] files = Files();
        Assert.DoesNotContain(files, f => f.EndsWith(".part", StringComparison.Ordinal) || f.Contains(".dsd-", StringComparison.Ordinal));
        Leave("out", $"report.html{half}");
        Leave("out", "samples", $"step-000002.png{half}");
        Leave("out", "cache", "ab", $"entry.safetensors{half}");
        Leave("out", "checkpoints", $"checkpoint-2.safetensors{half}");
        string[] others = [Leave("shared", "ab", $"entry.safetensors{half}"), Leave("out", "mine.part")];
        File.Delete(Adapter(Out));

        CliResult again = await Train(pairs, "--cache", _folder.File("shared"));

        Assert.True(again.ExitCode == ExitCode.Done, again.Error);
        Assert.Equal(files.Append("mine.part").Order(StringComparer.Ordinal), Files());
        // Another process may be writing in a cache that is shared.
        Assert.All(others, file => Assert.True(File.Exists(file), file));

        string Leave(params string[] path)
        {
            string file = _folder.File(path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, "half");
            return file;
        }

        string[] Files() =>
        [
            .. Directory.EnumerateFiles(Out, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Out, f))
                .Where(f => !f.StartsWith("tensorboard", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
        ];
    }

    [Fact]
    public async Task Train_OfAFinishedRun_ChangesNothing()
    {
        string pairs = Pairs("pairs", PairFormat.Parquet, 2);
        await Train(pairs);
        Dictionary<string, DateTime> before = Times();

        CliResult again = await Train(pairs, "--report-every", "7");

        Assert.Equal((ExitCode.Done, Adapter(Out) + Environment.NewLine), (again.ExitCode, again.Output));
        Assert.Contains("is finished, all 3 steps. Nothing was done.", again.Error, StringComparison.Ordinal);
        Assert.Equal(before, Times());
        (await Train(pairs, "--learning-rate", "0.01")).AssertFails(ExitCode.WrongUse, "LearningRate was 0.0001 and is 0.01", "another '--out'");
    }

    [Fact]
    public async Task Train_DrawsAtIntervals_WithoutChangingWhatIsLearnt_AndGoesOnWithItsPictures()
    {
        string pairs = Pairs("pairs", PairFormat.Parquet, 2);
        string reference = _folder.File("reference.png");
        TrainPairs.Noise(7, 64, 64).Save(reference);
        string[] usual = ["--steps", "5", "--report-every", "1", "--dropout", "0.2"];
        string[] samples = ["--sample", "a fox", "--sample-reference", reference, "--sample-every", "2"];
        CliResult plain = await Train(pairs, [.. usual, "--out", _folder.File("plain")]);
        Assert.True(plain.ExitCode == ExitCode.Done, plain.Error);
        Assert.False(Directory.Exists(_folder.File("plain", "samples")));
        CliResult drawn = await Train(pairs, [.. usual, .. samples, "--out", _folder.File("drawn")]);
        Assert.True(drawn.ExitCode == ExitCode.Done, drawn.Error);

        // Stopped after the first picture, and called again.
        using CancellationTokenSource stop = new();
        string sheet = _folder.File("out", "samples", "step-000002.png");
        string[] arguments = [.. Arguments(pairs, steps: null), .. usual, .. samples, "--out", Out];
        Task<int> run = Task.Run(() => DsdCli.Program.RunAsync(arguments, TextWriter.Null, TextWriter.Null, stop.Token));
        // Looked for again and again: a watcher may miss a file in a folder that is new. Three more steps and two more pictures are still to come.
        while (!run.IsCompleted && !File.Exists(sheet))
        {
            await Task.Delay(5);
        }
        await stop.CancelAsync();
        Assert.Equal(ExitCode.Failed, await run);
        byte[] first = File.ReadAllBytes(sheet);
        DateTime written = File.GetLastWriteTimeUtc(sheet);
        CliResult resumed = await Train(pairs, [.. usual, .. samples]);

        Assert.True(resumed.ExitCode == ExitCode.Done, resumed.Error);
        Assert.Contains("goes on from step", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(sheet));
        string[] sheets = ["step-000002.png", "step-000004.png", "step-000005.png"];
        foreach (string folder in new[] { "drawn", "out" })
        {
            Assert.Equal(sheets, Directory.EnumerateFiles(_folder.File(folder, "samples")).Select(f => Path.GetFileName(f)).Order());
            Assert.Equal(File.ReadAllBytes(Adapter(_folder.File("plain"))), File.ReadAllBytes(Adapter(_folder.File(folder))));
            string page = File.ReadAllText(_folder.File(folder, "report.html"));
            Assert.Matches("Step 2<[^§]*<img [^§]*Step 4<[^§]*<img [^§]*Step 5<[^§]*<img ", page);
        }
        Assert.All(sheets, s => Assert.Equal(File.ReadAllBytes(_folder.File("drawn", "samples", s)), File.ReadAllBytes(_folder.File("out", "samples", s))));
        Assert.NotEqual(first, File.ReadAllBytes(_folder.File("out", "samples", "step-000004.png")));
        Picture two = Picture.Load(sheet);
        Assert.Equal((68, 32), (two.Width, two.Height));
    }

    [Fact]
    public async Task Train_WithComfyUIsNames_WritesAnAdapterThatGenerateDrawsTheSameWith()
    {
        string pairs = Pairs("pairs", PairFormat.Parquet, 2);
        string reference = _folder.File("reference.png");
        TrainPairs.Noise(7, 64, 64).Save(reference);
        await Train(pairs, "--out", _folder.File("usual"));

        CliResult result = await Train(pairs, "--names", "comfyui");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        using (SafetensorsFile file = SafetensorsFile.Open(Adapter(Out)))
        {
            Assert.Contains("diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight", file.Entries.Keys);
            Assert.Contains("diffusion_model.c_embedder.weight", file.Entries.Keys);
        }
        Picture[] drawn = await Task.WhenAll(new[] { "usual", "out" }.Select(async run =>
        {
            string picture = _folder.File($"{run}.png");
            CliResult one = await Cli.Run(
                "generate", "--model", TinyModel.Name, "--lora", Adapter(_folder.File(run)), "--image", reference, "--prompt", "a fox", "--steps", "4", "--out",
                picture);
            Assert.True(one.ExitCode == ExitCode.Done, one.Error);
            return Picture.Load(picture);
        }));
        // Sums in another order: a number of 255 may be rounded to its neighbour.
        Assert.True(drawn[0].Pixels.ToArray().Zip(drawn[1].Pixels.ToArray()).All(p => Math.Abs(p.First - p.Second) <= 1));
        (await Train(pairs)).AssertFails(ExitCode.WrongUse, "names was ComfyUI and is Diffusers");
    }

    [Fact]
    public async Task Train_OnOtherPairsThanBefore_IsRefused()
    {
        string pairs = Pairs("pairs", PairFormat.Parquet, 2);
        using CancelledByLine error = new("training: step 1 of 3");
        await DsdCli.Program.RunAsync([.. Arguments(pairs), "--report-every", "1", "--out", Out], TextWriter.Null, error, error.Token);

        CliResult result = await Train(Pairs("others", PairFormat.Parquet, 2, seed: 50));

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains("Content of the pairs was", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_ReadsDatasetsOfSeveralFormats_AndTellsMetrics()
    {
        long steps = 0, pairs = 0;
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == TrainingMetrics.MeterName)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
            Interlocked.Add(ref instrument.Name.EndsWith("steps", StringComparison.Ordinal) ? ref steps : ref pairs, value));
        listener.Start();

        CliResult result = await Cli.Run(
        [
            "train", "--model", TinyModel.Name, "--steps", "2", "--batch", "2", "--size", "32x32", "--out", Out, "--rank", "2", "--targets", "attn.to_q",
            "ff.net.2", "--optimizer", "adamw8", "--schedule", "linear", "--warmup", "1", "--dropout", "0.1", "--condition", "frozen", "--cache",
            _folder.File("shared"), "--pairs", Pairs("a", PairFormat.Parquet, 1), Pairs("b", PairFormat.ImageFolder, 1), Pairs("c", PairFormat.WebDataset, 1),
        ]);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("reading: 3 pairs", result.Error, StringComparison.Ordinal);
        Assert.True(steps >= 2 && pairs >= 4, $"{steps} steps, {pairs} pairs");
        Assert.True(Directory.Exists(_folder.File("shared")));
        Assert.False(Directory.Exists(_folder.File("out", "cache")));
    }

    [Fact]
    public async Task Train_LeavesOutRowsThatAreNotKept()
    {
        CliResult result = await Train(Pairs("pairs", PairFormat.Parquet, 3, kept: i => i == 0));

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("warning: 2 rows of '--pairs' are left out", result.Error, StringComparison.Ordinal);
        Assert.Contains("reading: 1 pairs", result.Error, StringComparison.Ordinal);
        CliResult none = await Train(Pairs("none", PairFormat.Parquet, 2, kept: _ => false), "--out", _folder.File("none-out"));
        Assert.Equal(ExitCode.Failed, none.ExitCode);
        Assert.Contains("2 rows, none of which is kept", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_OfARowWithoutAPicture_NamesFileAndRow()
    {
        string pairs = _folder.File("pairs");
        Directory.CreateDirectory(pairs);
        TrainPairs.Noise(1, 32, 32).Save(_folder.File("pairs", "a.png"));
        TrainPairs.Noise(1, 8, 32).Save(_folder.File("pairs", "small.png"));
        File.WriteAllText(_folder.File("pairs", "broken.png"), "no picture");

        (string, string)[] pictures = [("broken.png", "PNG"), ("small.png", "reference is 8 × 32 pixels, and a picture to train on needs at least 16 a side")];
        foreach ((string picture, string expected) in pictures)
        {
            File.WriteAllText(
                _folder.File("pairs", "metadata.csv"), $"image_file_name,conditioning_file_name,caption\na.png,a.png,a fox\na.png,{picture},a fox\n");
            CliResult result = await Train(pairs);
            Assert.Equal(ExitCode.Failed, result.ExitCode);
            string line = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
            Assert.Contains("metadata.csv", line, StringComparison.Ordinal);
            Assert.Contains(expected, line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Plan_SaysWhatEachSettingTakes()
    {
        JsonElement plan = await Cli.Json("train", "--model", TinyModel.Name, "--plan");

        Assert.Equal("whole", plan.GetProperty("setting").GetString());
        long[] bytes = [.. plan.GetProperty("settings").EnumerateArray().Select(s => s.GetProperty("memory_bytes").GetInt64())];
        Assert.True(bytes.Length == 2 && bytes[1] < bytes[0]);
        CliResult text = await Cli.Run("train", "--model", TinyModel.Name, "--plan", "--memory", (bytes[1] / (double)(1L << 30) + 0.001).ToString("0.00000",
            System.Globalization.CultureInfo.InvariantCulture));
        Assert.Matches(@"recomputed +\d\.\d\d +not known +yes", text.Output);
        (await Cli.Run("train", "--model", TinyModel.Name, "--plan", "--memory", "0.1"))
            .AssertFails(ExitCode.Failed, "No setting fits 0.1 GiB", "The smallest, recomputed, takes", "are missing");
    }

    [Theory]
    [InlineData("'--targets': attn.to_x match no linear layer", "--targets", "attn.to_x")]
    [InlineData("'--targets': 'a b' is no name", "--targets", "a b")]
    [InlineData("'--rank' must lie between 1 and 4096", "--rank", "0")]
    [InlineData("'--learning-rate' must be a number, written in the digits", "--learning-rate", "1e-4")]
    [InlineData("'--batch' must lie between", "--batch", "0")]
    [InlineData("'--size': width must be a multiple of 16", "--size", "40x32")]
    [InlineData("'--lora' continues", "--lora", "a.safetensors", "--alpha", "2")]
    [InlineData("'--memory' chooses the setting", "--memory", "8", "--setting", "whole")]
    [InlineData("'--setting float8' needs a GPU", "--setting", "float8")]
    [InlineData("'--resolutions' is for frames of several sizes", "--resolutions", "64", "96")]
    [InlineData("'--resolutions' must be a whole number", "--buckets", "--resolutions", "64.5")]
    [InlineData("'--validate-every' is for held-out pairs", "--validate-every", "2")]
    [InlineData("'--sample' and '--sample-reference' belong together", "--sample", "a fox")]
    [InlineData("'--sample-every' is for prompts", "--sample-every", "2")]
    [InlineData("'--names'", "--names", "kohya")]
    [InlineData("'--setting'", "--setting", "quick")]
    public async Task Train_OfOptionsThatMakeNoSense_IsWrongUse(string expected, params string[] options) =>
        (await Cli.Run(["train", "--model", TinyModel.Name, "--plan", .. options])).AssertFails(ExitCode.WrongUse, expected, "dsd train --help");

    [Fact]
    public async Task Train_ChecksFilesAndFoldersBeforeItReadsAPair()
    {
        string pairs = Pairs("pairs", PairFormat.Parquet, 1);
        File.WriteAllText(_folder.File("file"), "");
        Directory.CreateDirectory(_folder.File("full"));
        File.WriteAllText(_folder.File("full", "other.txt"), "");

        (await Cli.Run("train", "--model", TinyModel.Name, "--pairs", pairs)).AssertFails(ExitCode.WrongUse, "'--out' is required");
        (await Train(_folder.File("nowhere"))).AssertFails(ExitCode.Failed, "nowhere", "found nothing there");
        (await Train(pairs, "--validate", _folder.File("nowhere"))).AssertFails(ExitCode.Failed, "nowhere", "found nothing there");
        (await Train(pairs, "--out", _folder.File("file"))).AssertFails(ExitCode.Failed, "is a file");
        (await Train(pairs, "--out", _folder.File("full"))).AssertFails(ExitCode.Failed, "it holds 'other.txt'");
        (await Train(pairs, "--cache", _folder.File("file"))).AssertFails(ExitCode.Failed, "is a file");
        (await Train(pairs, "--lora", _folder.File("none.safetensors"))).AssertFails(ExitCode.Failed, "none.safetensors");
        (await Train(pairs, "--sample", "x", "--sample-reference", _folder.File("none.png"))).AssertFails(ExitCode.Failed, "none.png");
        (await Train(pairs, "--image-column", "picture")).AssertFails(ExitCode.Failed, "picture");
        Assert.False(Directory.Exists(Out));
    }

    private static string Adapter(string folder) => Path.Combine(folder, "pytorch_lora_weights.safetensors");

    private static string[] Arguments(string pairs, string? steps = "3") =>
        ["train", "--model", TinyModel.Name, "--pairs", pairs, "--batch", "1", "--size", "32x32", .. steps is null ? [] : new[] { "--steps", steps }];

    private Task<CliResult> Train(string pairs, params string[] options) => Cli.Run(
    [
        .. Arguments(pairs, options.Contains("--steps") ? null : "3"), .. options, .. options.Contains("--out") ? [] : new[] { "--out", Out },
    ]);

    private Dictionary<string, DateTime> Times() =>
        Directory.EnumerateFiles(Out, "*", SearchOption.AllDirectories).ToDictionary(f => f, File.GetLastWriteTimeUtc);

    private string Pairs(string name, PairFormat format, int count, int seed = 0, Func<int, bool>? kept = null) =>
        TrainPairs.Write(_folder.File(name), format, count, seed, kept);

    /// <summary>Cancels when a certain line of progress is written.</summary>
    private sealed class CancelledByLine(string beginning) : StringWriter
    {
        private readonly CancellationTokenSource _source = new();

        public CancellationToken Token => _source.Token;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(beginning, StringComparison.Ordinal) == true)
            {
                _source.Cancel();
            }
        }

        protected override void Dispose(bool disposing)
        {
            _source.Dispose();
            base.Dispose(disposing);
        }
    }
}
