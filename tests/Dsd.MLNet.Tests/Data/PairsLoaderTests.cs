using System.Text.Json;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Training;
using Dsd.Runs;
using Dsd.Runs.Export;
using Dsd.Runs.Ledger;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.Data;

public sealed class PairsLoaderTests : IDisposable
{
    private readonly MLContext _ml = new(1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(PairFormat.Parquet)]
    [InlineData(PairFormat.ImageFolder)]
    [InlineData(PairFormat.WebDataset)]
    public async Task LoadPairs_FeedsTheFineTunerAsItIs(PairFormat format)
    {
        await WriteAsync(format, "a", "-b");
        IReadOnlyList<TrainingPair> seen = [];

        new LoraFineTuner(_ml, null, new PaintedModels
        {
            Training = pairs =>
            {
                seen = [.. pairs.Pairs];
                return new LoraWeights([1, 2, 3]);
            },
        }).Fit(_ml.Data.LoadPairs(_folder.File("out")));

        // Both directions of the pair that is kept, and none of the other's.
        Assert.Equal(["a at sea", "a at home"], seen.Select(p => p.Prompt));
        IReadOnlyList<Picture> panels = PanelCutter.Cut(Grid("a"), GridLayout.OneByTwo);
        Assert.Equal(panels[0].Pixels, seen[0].Reference.Pixels);
        Assert.Equal(panels[1].Pixels, seen[0].Target.Pixels);
    }

    [Fact]
    public async Task Schema_HasTheVerdictBehindThePair()
    {
        await WriteAsync(PairFormat.Parquet, "a");

        Assert.Equal(
            [
                "Reference Image", "Target Image", "Prompt String", "Id String", "PairId String", "CaptionKey String", "Kept Boolean", "Reviewed String",
                "Status String", "Same Single",
                "Confidence Single", "Subject String", "TargetDescription String", "ReferenceDescription String", "Differences Vector<String>",
                "Flags Vector<String>", "Reason String",
                "Judge String", "Model String", "Votes Int32",
            ],
            _ml.Data.LoadPairs(_folder.File("out")).Schema.Select(c => $"{c.Name} {c.Type}"));
    }

    [Fact]
    public async Task Rows_SayWhatTheJudgeSaid()
    {
        await WriteAsync(PairFormat.ImageFolder, "a", "-b", "?c");

        VerdictRow[] rows = [.. _ml.Data.CreateEnumerable<VerdictRow>(_ml.Data.LoadPairs(_folder.File("out")), reuseRowObject: false)];

        // '-b' and '?c' are keys of their own: what stands first says how they were judged.
        Assert.Equal(["a", "a", "b", "b", "c", "c"], rows.Select(r => r.CaptionKey));
        Assert.Equal([true, true, false, false, false, false], rows.Select(r => r.Kept));
        Assert.Equal([1, 1, 0, 0, float.NaN, float.NaN], rows.Select(r => r.Same));
        Assert.Equal([0.875f, 0.875f, 0.875f, 0.875f, float.NaN, float.NaN], rows.Select(r => r.Confidence));
        Assert.Equal(["second", "first", "second", "first", "", ""], rows.Select(r => r.TargetDescription));
        Assert.Equal(["text", "blank"], rows[0].Flags);
        Assert.Empty(rows[5].Flags);
        Assert.Equal(1, rows[0].Votes);
        Assert.Equal((16, 16), (rows[5].Reference!.Width, rows[5].Reference!.Height));
    }

    [Fact]
    public void LoadPairs_OfScoredPairsWithSeveralReferences_HasTheScoresAndTheFirstReference()
    {
        EncodedPicture Picture(string name) => new($"{name}.png", Grid(name).EncodePng());
        PairRecord Row(string id, double? score) => new()
        {
            Source = id,
            Image = Picture($"{id}1"),
            Conditioning = Picture($"{id}2"),
            FurtherConditioning = [Picture($"{id}3")],
            Caption = "a fox",
            Details = new PairDetails { Id = id, Kept = true, LowestPart = score, Parts = score is null ? null : ["tail: 0, gone"] },
        };
        DatasetWriter.Write(
            [[Row("a", 0), Row("b", null)]], _folder.File("out"), new DatasetWriteOptions { References = 2, IncludeAxes = true });

        IDataView pairs = _ml.Data.LoadPairs(_folder.File("out"));

        Assert.Equal(["Reference", "Target", "Prompt"], pairs.Schema.Take(3).Select(c => c.Name));
        Assert.DoesNotContain(pairs.Schema, c => c.Name.Contains('2'));
        Assert.Equal([0, float.NaN], pairs.GetColumn<float>("AxisLowestPart"));
        Assert.Equal(["tail: 0, gone", ""], pairs.GetColumn<string[]>("AxisParts").Select(p => string.Join(' ', p)));
        MLImage reference = pairs.GetColumn<MLImage>("Reference").First();
        Assert.Equal(MLImages.ToPicture(reference, "the test").Pixels, Grid("a2").Pixels);
    }

    [Fact]
    public async Task Cursor_ReadsPicturesOnlyWhereTheyAreAskedFor()
    {
        await WriteAsync(PairFormat.ImageFolder, "a");
        foreach (string picture in Directory.EnumerateFiles(_folder.File("out"), "*.png", SearchOption.AllDirectories))
        {
            File.WriteAllText(picture, "no picture");
        }
        IDataView pairs = _ml.Data.LoadPairs(_folder.File("out"));

        Assert.Equal(["a at sea", "a at home"], Views.Column(pairs, "Prompt"));
        DsdRowException e = Assert.Throws<DsdRowException>(() => Views.Column(pairs, "Target"));
        Assert.Equal((0, "Target"), (e.Row, e.Column));
        Assert.Contains("metadata.jsonl', line 1, column 'file_name'", e.Message);
    }

    [Fact]
    public async Task Cursor_NamesTheRowThatCannotBeRead()
    {
        await WriteAsync(PairFormat.ImageFolder, "a");
        File.AppendAllText(_folder.File("out", "train", "metadata.jsonl"), "{}\n");

        DsdRowException e = Assert.Throws<DsdRowException>(() => Views.Column(_ml.Data.LoadPairs(_folder.File("out")), "Prompt"));

        Assert.Equal(2, e.Row);
        Assert.Contains("line 3", e.Message);
    }

    [Fact]
    public async Task Rows_AreCountedWhereTheFilesSaySoAndHaveIdsOfTheirOwn()
    {
        await WriteAsync(PairFormat.Parquet, "a", "b");
        IDataView pairs = _ml.Data.LoadPairs(_folder.File("out"));

        Assert.Equal(4, pairs.GetRowCount());
        Assert.False(pairs.CanShuffle);
        using DataViewRowCursor cursor = Assert.Single(pairs.GetRowCursorSet([pairs.Schema["Id"]], 4, new Random(1)));
        ValueGetter<DataViewRowId> get = cursor.GetIdGetter();
        HashSet<DataViewRowId> ids = [];
        while (cursor.MoveNext())
        {
            DataViewRowId id = default;
            get(ref id);
            ids.Add(id);
        }
        Assert.Equal(4, ids.Count);
        Assert.Equal(-1, cursor.Position);
        Assert.Throws<ArgumentException>(() => cursor.GetGetter<MLImage>(pairs.Schema["Target"]));
    }

    [Fact]
    public async Task LoadPairs_TakesOtherNames()
    {
        await WriteAsync(PairFormat.Parquet, "a");

        PairsLoaderOptions options = new()
        {
            ReferenceColumn = "Before",
            TargetColumn = "After",
            PromptColumn = "Say",
            Dataset = new PairDatasetOptions { ReadDetails = false },
        };
        IDataView pairs = _ml.Data.LoadPairs(_folder.File("out"), options);

        Assert.Equal(["Before", "After", "Say"], pairs.Schema.Select(c => c.Name));
    }

    [Fact]
    public async Task LoadPairs_RefusesTwoColumnsOfOneName()
    {
        await WriteAsync(PairFormat.Parquet, "a");

        PairsLoaderOptions options = new() { PromptColumn = "Reason" };
        Assert.Contains("'Reason'", Assert.Throws<ArgumentException>(() => _ml.Data.LoadPairs(_folder.File("out"), options)).Message);
    }

    [Fact]
    public void LoadPairs_OfNothing_SaysSoAtOnce() =>
        Assert.Contains("found nothing there", Assert.Throws<FileNotFoundException>(() => _ml.Data.LoadPairs(_folder.File("none"))).Message);

    // Keys that begin with '-' are rejected, with '?' undecided; the sign is not part of the key.
    private async Task WriteAsync(PairFormat format, params string[] keys)
    {
        await using (RunFolder run = RunFolder.Open(_folder.File("run")))
        {
            string cutting = JsonSerializer.Serialize(new PanelCutterOptions());
            await run.BeginAsync("test", new Dictionary<string, string> { ["pairs"] = nameof(PairChoice.Ordered), ["cutting"] = cutting });
            foreach (string sign in keys)
            {
                string key = sign.TrimStart('-', '?');
                string id = $"{key}~0";
                GridPrompt prompt = new(key, GridLayout.OneByTwo, key, [$"{key} at home", $"{key} at sea"]);
                await run.WritePromptsAsync(new SeedCaption(key, key), [new LedgerPrompt(id, key, 0, prompt, 1)]);
                await run.WriteGridAsync(id, Grid(key), "test");
                await run.WritePairAsync(new LedgerPair(LedgerPair.IdOf(id, 0, 1), id, 0, 1, Judgement(sign[0])));
            }
        }
        RunExport.Write(_folder.File("run"), _folder.File("out"), new DatasetWriteOptions { Format = format, IncludeRejected = true });
    }

    private static Picture Grid(string key)
    {
        byte[] pixels = new byte[3 * 32 * 16];
        new Random(key[0]).NextBytes(pixels);
        return new Picture(32, 16, pixels);
    }

    private static PairJudgement Judgement(char sign)
    {
        bool same = sign is not ('-' or '?');
        Verdict? verdict = sign == '?' ? null : new Verdict
        {
            Subject = "a fox",
            DescriptionA = "first",
            DescriptionB = "second",
            Differences = [],
            Same = same,
            Confidence = 0.875,
            Flags = ["text", "blank"],
        };
        return new PairJudgement
        {
            Status = verdict is null ? VerdictStatus.Undecided : VerdictStatus.Decided,
            Kept = same,
            Confidence = verdict?.Confidence ?? double.NaN,
            Verdict = verdict,
            Reason = "so",
            Votes = [new JudgeVote { Judge = "judge", Kept = same, Verdict = verdict, Reason = "so", Attempts = 1 }],
        };
    }

    private sealed class VerdictRow
    {
        public MLImage? Reference { get; set; }

        public string CaptionKey { get; set; } = "";

        public bool Kept { get; set; }

        public float Same { get; set; }

        public float Confidence { get; set; }

        public string TargetDescription { get; set; } = "";

        public string[] Flags { get; set; } = [];

        public int Votes { get; set; }
    }
}
