using System.Security.Cryptography;
using System.Text.Json;
using Dsd.Curation.Axes;
using Dsd.Curation.Grids;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Runs.Export;
using Dsd.Runs.Ledger;
using Dsd.Testing.Runs;

namespace Dsd.Runs.Tests.Export;

public sealed class RunExportTests
{
    [Theory]
    [InlineData(PairFormat.Parquet)]
    [InlineData(PairFormat.ImageFolder)]
    [InlineData(PairFormat.WebDataset)]
    public async Task Write_ThenRead_GivesPicturesCaptionsAndVerdicts(PairFormat format)
    {
        using TestRun run = await TestRun.Of(PairChoice.Ordered, ("a.fox", TestRun.Kept()));

        WrittenDataset written = RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = format }).Dataset;

        Assert.Equal((2, 2), (written.Rows, written.Kept));
        PairDataset dataset = PairDataset.Open(run.Path("out"));
        Assert.Equal(format, dataset.Format);
        Assert.Equal(DetailColumn.All.Where(c => !c.IsAxis).Select(c => c.Name), dataset.Details.Select(c => c.Name));
        IReadOnlyList<Picture> panels = TestRun.Panels("a.fox");
        (PairRecord Row, byte[] Image, byte[] Conditioning)[] rows = [.. dataset.Read().Select(
            r => (r, r.Image.Decode().Pixels.ToArray(), r.Conditioning.Decode().Pixels.ToArray()))];
        Assert.Equal(2, rows.Length);
        Assert.Equal(["a.fox at sea", "a.fox at home"], rows.Select(r => r.Row.Caption));
        Assert.Equal([panels[1].Pixels.ToArray(), panels[0].Pixels.ToArray()], rows.Select(r => r.Image));
        Assert.Equal([panels[0].Pixels.ToArray(), panels[1].Pixels.ToArray()], rows.Select(r => r.Conditioning));
        AssertDetails(
            new PairDetails
            {
                Id = "a.fox~0~1-0",
                PairId = "a.fox~0~0-1",
                CaptionKey = "a.fox",
                Kept = true,
                Reviewed = "none",
                Status = "decided",
                Same = true,
                Confidence = 0.875,
                Subject = "a fox — größer",
                ImageDescription = "the first",
                ConditioningDescription = "the second",
                Differences = ["one has a \"scarf\""],
                Flags = ["same_pose", "text"],
                Reason = "kept: the same",
                Judge = "dear",
                Model = "large-2",
                Votes = 2,
            },
            rows[1].Row.Details);
        Assert.Equal("the second", rows[0].Row.Details.ImageDescription);
    }

    [Theory]
    [InlineData(PairFormat.Parquet)]
    [InlineData(PairFormat.ImageFolder)]
    [InlineData(PairFormat.WebDataset)]
    public async Task Write_OfARunWithScores_HasThemInColumns_AndEmptyWhereThereAreNone(PairFormat format)
    {
        using TestRun run = await TestRun.Of(PairChoice.Unordered, ("a", TestRun.Kept()), ("b", TestRun.Kept()));
        await using (RunLedger ledger = RunLedger.Open(RunFolder.LedgerFile(run.Folder)))
        {
            await ledger.WriteAxesAsync("a~0~0-1", new AxesVote { Judge = "j", Axes = Pairs.Axes(3, lowestPart: 1, quality: 0), Attempts = 1 });
        }

        RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = format });

        PairDataset dataset = PairDataset.Open(run.Path("out"));
        Assert.Equal(DetailColumn.All.Select(c => c.Name), dataset.Details.Select(c => c.Name));
        PairDetails[] rows = [.. dataset.Read().Select(r => r.Details)];
        PairDetails scored = rows[0];
        Assert.Equal((3, 1, 0), (scored.ObjectConsistency, scored.LowestPart, scored.ImageQuality));
        Assert.Equal((3, 3), (scored.Composition, scored.PromptAdherence));
        Assert.Equal(["tail: 4, none", "ears: 1, some"], scored.Parts);
        Assert.Equal((null, null, 0), (rows[1].ObjectConsistency, rows[1].LowestPart, rows[1].Parts?.Count ?? 0));
        Assert.Contains("`axis_`", File.ReadAllText(run.Path("out", "README.md")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PairFormat.Parquet)]
    [InlineData(PairFormat.ImageFolder)]
    [InlineData(PairFormat.WebDataset)]
    public async Task Write_WithSeveralReferences_TakesPanelsOfKeptPairsWithTheTarget_AndLeavesOutRowsWithFewer(PairFormat format)
    {
        using TemporaryFolder folder = new();
        await SampleRun.IntoAsync(folder.File("run"), SampleRun.Captions(6));
        RunExport.Write(folder.File("run"), folder.File("one"), new DatasetWriteOptions { Format = format });
        Dictionary<string, (byte[] Image, byte[] Conditioning)> one = PairDataset.Open(folder.File("one")).Read()
            .ToDictionary(r => r.Details.Id!, r => (r.Image.ReadBytes().ToArray(), r.Conditioning.ReadBytes().ToArray()));

        ExportedRun written = RunExport.Write(folder.File("run"), folder.File("two"), new DatasetWriteOptions { Format = format, References = 2 });

        PairRecord[] rows = [.. PairDataset.Open(folder.File("two")).Read().Select(r => r with
        {
            Image = new EncodedPicture(null, r.Image.ReadBytes().ToArray()),
            Conditioning = new EncodedPicture(null, r.Conditioning.ReadBytes().ToArray()),
            FurtherConditioning = [.. r.FurtherConditioning.Select(p => new EncodedPicture(p.Name, p.ReadBytes().ToArray()))],
        })];
        Assert.NotEmpty(rows);
        Assert.Equal(one.Count, rows.Length + written.TooFewReferences);
        Assert.True(written.TooFewReferences > 0);
        foreach (PairRecord row in rows)
        {
            string id = row.Details.Id!;
            Assert.Equal(one[id].Image, row.Image.ReadBytes().ToArray());
            Assert.Equal(one[id].Conditioning, row.Conditioning.ReadBytes().ToArray());
            // The other reference is the reference of another kept row of the same target, the earliest there is.
            (string target, string reference) = (id[(id.LastIndexOf('-') + 1)..], id[(id.LastIndexOf('~') + 1)..id.LastIndexOf('-')]);
            string other = one.Keys.Where(k => k.StartsWith(id[..(id.LastIndexOf('~') + 1)], StringComparison.Ordinal)
                && k.EndsWith($"-{target}", StringComparison.Ordinal) && k != id).Order(StringComparer.Ordinal).First();
            Assert.Equal(one[other].Conditioning, Assert.Single(row.FurtherConditioning).ReadBytes().ToArray());
            Assert.DoesNotContain($"~{reference}-", other, StringComparison.Ordinal);
        }
        Assert.All(PairDataset.Open(folder.File("two"), new PairDatasetOptions { ReadDetails = false }).Read(), r => Assert.Empty(r.FurtherConditioning));
        Assert.Contains("`conditioning_2`", File.ReadAllText(folder.File("two", "README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_WithMoreReferencesThanThereAre_SaysSo()
    {
        using TestRun run = await TestRun.Of(2);

        string message = Assert.Throws<DatasetException>(
            () => RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { References = 2 })).Message;

        Assert.Contains("targets with 2 references", message, StringComparison.Ordinal);
        Assert.Contains("4 rows have fewer", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run.Path("out")));
        Assert.Throws<ArgumentException>(
            () => RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { References = 2, IncludeRejected = true }));
    }

    [Theory]
    [InlineData(PairFormat.Parquet)]
    [InlineData(PairFormat.ImageFolder)]
    [InlineData(PairFormat.WebDataset)]
    public async Task Write_OfAnUndecidedPair_LeavesTheVerdictEmpty(PairFormat format)
    {
        using TestRun run = await TestRun.Of(PairChoice.Unordered, ("a", TestRun.Undecided()), ("b", TestRun.Kept()), ("c", TestRun.Rejected()));

        WrittenDataset written = RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = format, IncludeRejected = true }).Dataset;

        Assert.Equal((3, 1), (written.Rows, written.Kept));
        PairRecord[] rows = [.. PairDataset.Open(run.Path("out")).Read()];
        Assert.Equal([false, true, false], rows.Select(r => r.Details.Kept));
        AssertDetails(
            new PairDetails
            {
                Id = "a~0~0-1",
                PairId = "a~0~0-1",
                CaptionKey = "a",
                Kept = false,
                Reviewed = "none",
                Status = "undecided",
                Differences = [],
                Flags = [],
                Reason = "no answer could be read",
                Judge = "cheap",
                Votes = 1,
            },
            rows[0].Details);
        Assert.Equal((false, 0, 0), (rows[2].Details.Same!.Value, rows[2].Details.Differences!.Count, rows[2].Details.Flags!.Count));
    }

    [Theory]
    [InlineData(PairFormat.Parquet, null)]
    [InlineData(PairFormat.ImageFolder, null)]
    [InlineData(PairFormat.WebDataset, null)]
    [InlineData(PairFormat.WebDataset, 80)]
    public async Task Write_OfTheSameLedgerTwice_GivesTheSameBytes(PairFormat format, int? quality)
    {
        using TestRun run = await TestRun.Of(7);
        DatasetWriteOptions options = new() { Format = format, JpegQuality = quality };

        RunExport.Write(run.Folder, run.Path("one"), options);
        RunExport.Write(run.Folder, run.Path("two"), options);

        Dictionary<string, string> one = Hashes(run.Path("one"));
        Assert.Equal(one, Hashes(run.Path("two")));
        Assert.Contains("README.md", one.Keys);
    }

    [Theory]
    [InlineData(PairChoice.Unordered)]
    [InlineData(PairChoice.FirstToRest)]
    public async Task Write_OfPairsInOneDirection_GivesTheEarlierPanelAsReference(PairChoice choice)
    {
        using TestRun run = await TestRun.Of(choice, ("a", TestRun.Kept()));

        RunExport.Write(run.Folder, run.Path("out"));

        PairRecord row = Assert.Single(PairDataset.Open(run.Path("out")).Read());
        Assert.Equal("a~0~0-1", row.Details.Id);
    }

    [Fact]
    public async Task Write_GoesByThePersonsWord()
    {
        using TestRun run = await TestRun.Of(PairChoice.Unordered, ("a", TestRun.Kept()), ("b", TestRun.Rejected()));
        await using (RunLedger ledger = RunLedger.Open(RunFolder.LedgerFile(run.Folder)))
        {
            await ledger.WriteReviewAsync("a~0~0-1", false, DateTimeOffset.UnixEpoch);
            await ledger.WriteReviewAsync("b~0~0-1", true, DateTimeOffset.UnixEpoch);
        }

        RunExport.Write(run.Folder, run.Path("out"));

        PairRecord row = Assert.Single(PairDataset.Open(run.Path("out")).Read());
        Assert.Equal(("b~0~0-1", true, "kept", false), (row.Details.Id, row.Details.Kept, row.Details.Reviewed, row.Details.Same));
    }

    [Fact]
    public async Task Write_TakesAPanelsOwnCaption()
    {
        using TestRun run = await TestRun.Of(PairChoice.Unordered, ("a", TestRun.Kept()));
        await using (RunLedger ledger = RunLedger.Open(RunFolder.LedgerFile(run.Folder)))
        {
            await ledger.WritePanelCaptionAsync("a~0", 1, "what it really shows");
        }

        RunExport.Write(run.Folder, run.Path("out"));

        Assert.Equal("what it really shows", Assert.Single(PairDataset.Open(run.Path("out")).Read()).Caption);
    }

    [Theory]
    [InlineData(PairFormat.Parquet, "\u00ff\u00d8")]
    [InlineData(PairFormat.ImageFolder, "\u00ff\u00d8")]
    [InlineData(PairFormat.WebDataset, "\u00ff\u00d8")]
    public async Task Write_WithAQuality_WritesJpeg(PairFormat format, string magic)
    {
        using TestRun run = await TestRun.Of(1);

        RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = format, JpegQuality = 90 });

        foreach (PairRecord row in PairDataset.Open(run.Path("out")).Read())
        {
            Assert.Equal(magic, System.Text.Encoding.Latin1.GetString(row.Image.ReadBytes().Span[..2]));
            Assert.EndsWith(".jpg", row.Image.Name, StringComparison.Ordinal);
            Assert.Equal(40, row.Image.Decode().Width);
        }
    }

    [Theory]
    [InlineData(PairFormat.Parquet, ".parquet")]
    [InlineData(PairFormat.WebDataset, ".tar")]
    public async Task Write_EndsFilesBeforeTheyGrowTooLarge(PairFormat format, string extension)
    {
        // 2 × 110 panels of noise, about 5 kB each as PNG and twice in a row: over 2 MB.
        using TestRun run = await TestRun.Of(110);

        RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = format, ShardBytes = 1_000_000 });

        FileInfo[] files = [.. new DirectoryInfo(run.Path("out", "data")).GetFiles().OrderBy(f => f.Name, StringComparer.Ordinal)];
        Assert.True(files.Length > 2);
        Assert.Equal(Enumerable.Range(0, files.Length).Select(i => $"train-{i:00000}-of-{files.Length:00000}{extension}"), files.Select(f => f.Name));
        // What Parquet adds to the rows themselves, headers and the list of columns, is not counted.
        Assert.All(files, f => Assert.InRange(f.Length, 1, format == PairFormat.Parquet ? 1_050_000 : 1_000_000));
        Assert.Equal(
            Enumerable.Range(0, 110).SelectMany(i => new[] { $"k{i:000}~0~0-1", $"k{i:000}~0~1-0" }),
            PairDataset.Open(run.Path("out")).Read().Select(r => r.Details.Id));
    }

    [Fact]
    public async Task Write_OfAnImageFolder_WritesEachPanelOnce()
    {
        using TestRun run = await TestRun.Of(3);

        WrittenDataset written = RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = PairFormat.ImageFolder }).Dataset;

        Assert.Equal(6, Directory.GetFiles(run.Path("out"), "*.png", SearchOption.AllDirectories).Length);
        Assert.Equal((6, 7), (written.Rows, written.Files));
        Assert.Equal(written.Bytes, new DirectoryInfo(run.Path("out", "train")).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length));
    }

    [Fact]
    public async Task Write_OfTars_GivesEachRowAKeyWithoutDots()
    {
        using TestRun run = await TestRun.Of(PairChoice.Ordered, ("a.b", TestRun.Kept()), ("a", TestRun.Kept()));

        RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = PairFormat.WebDataset });

        using FileStream stream = File.OpenRead(run.Path("out", "data", "train-00000-of-00001.tar"));
        using System.Formats.Tar.TarReader tar = new(stream);
        List<string> names = [];
        while (tar.GetNextEntry() is { } entry)
        {
            names.Add(entry.Name);
            Assert.Equal(DateTimeOffset.UnixEpoch, entry.ModificationTime);
        }
        Assert.Equal(
            new[] { "a+b~0~0-1", "a+b~0~1-0", "a~0~0-1", "a~0~1-0" }.SelectMany(key => new[] { $"{key}.image.png", $"{key}.conditioning.png", $"{key}.json" }),
            names);
    }

    [Fact]
    public async Task Write_WithoutAKeptPair_SaysSoAndLeavesNothing()
    {
        using TestRun run = await TestRun.Of(PairChoice.Ordered, ("a", TestRun.Rejected()));

        DatasetException e = Assert.Throws<DatasetException>(() => RunExport.Write(run.Folder, run.Path("new", "out")));

        Assert.Contains("expected pairs that are kept, found none (1 judged, 0 kept)", e.Message, StringComparison.Ordinal);
        Assert.Equal([run.Folder], Directory.EnumerateFileSystemEntries(run.Path()));
    }

    [Theory]
    [InlineData(PairFormat.Parquet)]
    [InlineData(PairFormat.ImageFolder)]
    [InlineData(PairFormat.WebDataset)]
    public async Task Write_WhenAGridIsDamaged_NamesItAndLeavesNothing(PairFormat format)
    {
        using TestRun run = await TestRun.Of(8);
        string grid = Directory.GetFiles(run.Path("run", "grids"), "k007*", SearchOption.AllDirectories).Single();
        File.WriteAllBytes(grid, [1, 2, 3]);

        LedgerException e = Assert.Throws<LedgerException>(() => RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = format }));

        Assert.Contains(Path.GetFileName(grid), e.Message, StringComparison.Ordinal);
        Assert.Equal([run.Folder], Directory.EnumerateFileSystemEntries(run.Path()));
    }

    [Fact]
    public async Task Write_WhenCancelled_LeavesNothing()
    {
        using TestRun run = await TestRun.Of(8);
        using CancellationTokenSource source = new();
        StoppingProgress progress = new(source);

        Assert.ThrowsAny<OperationCanceledException>(() => RunExport.Write(run.Folder, run.Path("out"), progress: progress, cancellationToken: source.Token));

        Assert.Equal(2, progress.Rows);
        Assert.Equal([run.Folder], Directory.EnumerateFileSystemEntries(run.Path()));
    }

    [Fact]
    public async Task Write_OverAnEarlierDataset_AsksForTheOption()
    {
        using TestRun run = await TestRun.Of(1);
        RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = PairFormat.WebDataset });

        Assert.Contains(
            nameof(DatasetWriteOptions.Overwrite),
            Assert.Throws<IOException>(() => RunExport.Write(run.Folder, run.Path("out"))).Message,
            StringComparison.Ordinal);
        RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Overwrite = true });

        Assert.Equal(PairFormat.Parquet, PairDataset.Open(run.Path("out")).Format);
    }

    [Fact]
    public async Task Write_NeverReplacesAnythingElse()
    {
        using TestRun run = await TestRun.Of(1);
        Directory.CreateDirectory(run.Path("mine"));
        File.WriteAllText(run.Path("mine", "README.md"), "My letters.");

        IOException e = Assert.Throws<IOException>(() => RunExport.Write(run.Folder, run.Path("mine"), new DatasetWriteOptions { Overwrite = true }));

        Assert.Contains("holds other files", e.Message, StringComparison.Ordinal);
        Assert.Equal("My letters.", File.ReadAllText(run.Path("mine", "README.md")));
    }

    [Fact]
    public async Task Write_OfAnImageFolderWithAShardSize_RefusesIt()
    {
        using TestRun run = await TestRun.Of(1);

        ArgumentException e = Assert.Throws<ArgumentException>(
            () => RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = PairFormat.ImageFolder, ShardBytes = 2_000_000 }));

        Assert.Contains(nameof(DatasetWriteOptions.ShardBytes), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_RefusesNamesThatLeadOutOfTheFolder()
    {
        using TestRun run = await TestRun.Of(PairChoice.Ordered);
        await using (RunFolder folder = RunFolder.Open(run.Folder))
        {
            // As a ledger from elsewhere may have it: the ids of our own hold no slash.
            await folder.Ledger.WritePromptsAsync(
                new SeedCaption("a", "a"), [new LedgerPrompt("../../a", "a", 0, new GridPrompt("a", GridLayout.OneByTwo, "a", ["a", "b"]), 1)]);
            TestRun.Grid("a").Save(System.IO.Path.Combine(run.Folder, "grids", "a.png"));
            string sha = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(System.IO.Path.Combine(run.Folder, "grids", "a.png"))));
            await folder.Ledger.WriteGridAsync(new LedgerGrid("../../a", "grids/a.png", 80, 40, sha, "test"));
            await folder.Ledger.WritePairAsync(new LedgerPair("../../a~0-1", "../../a", 0, 1, TestRun.Kept()));
        }

        LedgerException e = Assert.Throws<LedgerException>(
            () => RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = PairFormat.ImageFolder }));

        Assert.Contains("../../a", e.Message, StringComparison.Ordinal);
        Assert.Equal([run.Folder], Directory.EnumerateFileSystemEntries(run.Path()));
    }

    [Fact]
    public async Task Write_OfAMergedFolder_GivesTheSameBytes()
    {
        using TestRun run = await TestRun.Of(2);
        await using (RunFolder merged = RunFolder.Open(run.Path("merged")))
        {
            await merged.MergeAsync(run.Folder);
        }

        RunExport.Write(run.Folder, run.Path("one"));
        RunExport.Write(run.Path("merged"), run.Path("two"));

        Assert.Equal(Hashes(run.Path("one")), Hashes(run.Path("two")));
    }

    [Fact]
    public async Task Write_OfALedgerThatDoesNotSayHowItIsCut_SaysWhatIsMissing()
    {
        using TestRun run = await TestRun.Of(PairChoice.Ordered);
        await using (RunLedger ledger = RunLedger.Open(run.Path("other", "ledger.db")))
        {
            await ledger.WriteMetaAsync("pairs", nameof(PairChoice.Ordered));
        }

        LedgerException e = Assert.Throws<LedgerException>(() => RunExport.Write(run.Path("other"), run.Path("out")));

        Assert.Contains("'cutting'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(101)]
    public void Options_RefuseAQualityOutOfRange(int quality) =>
        Assert.Contains(
            "between 1 and 100",
            Assert.Throws<ArgumentOutOfRangeException>(() => new DatasetWriteOptions { JpegQuality = quality }).Message,
            StringComparison.Ordinal);

    // Records compare lists by reference.
    private static void AssertDetails(PairDetails expected, PairDetails found) =>
        Assert.Equal(JsonSerializer.Serialize(expected), JsonSerializer.Serialize(found));

    private static Dictionary<string, string> Hashes(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(f => System.IO.Path.GetRelativePath(folder, f), f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f))));

    private sealed class StoppingProgress(CancellationTokenSource source) : IProgress<long>
    {
        public long Rows { get; private set; }

        public void Report(long value)
        {
            Rows = value;
            source.Cancel();
        }
    }
}
