using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Sampling;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.Data;

public sealed class RowStoreTests : IDisposable
{
    private static readonly GridGeneratorOptions Grids = new()
    {
        Model = "painted",
        Layout = GridLayout.OneByTwo,
        Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1 },
        BatchSize = 1,
    };

    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _ml = new(1);
    private readonly PaintingTeacher _teacher = new();

    public RowStoreTests() => ColumnTypes.Register();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ACacheOfMLNets_DropsImages_AndTheStoreDoesNot()
    {
        IDataView references = Views.References(_ml, 2);
        // What the store is for. Should this fail, ML.NET has learnt it.
        Assert.DoesNotContain(_ml.Data.Cache(references).Schema, c => c.Name == "Reference");
        Assert.DoesNotContain(_ml.Data.ShuffleRows(references).Schema, c => c.Name == "Reference");
        Assert.Equal(Views.Column(references, "Reference"), Views.Column(_ml.Data.StoreRows(references), "Reference"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryColumn_ComesBackAsItWas(bool inFolder)
    {
        IDataView kinds = _ml.Data.LoadFromEnumerable(new[] { new Kinds(), new Kinds { Text = "", Picture = Clear(), Numbers = [1], Sparse = Sparse(3) } });
        IDataView stored = _ml.Data.StoreRows(kinds, inFolder ? _folder.Path : null);
        for (int pass = 0; pass < 2; pass++)
        {
            Kinds[] rows = [.. _ml.Data.CreateEnumerable<Kinds>(stored, reuseRowObject: false)];
            Assert.Equal(["a fox, 狐", ""], rows.Select(r => r.Text));
            Assert.Equal([true, true], rows.Select(r => r.Flag));
            Assert.All(rows, r => Assert.Equal((long.MinValue, 1.5f, -2.5, (byte)200), (r.Long, r.Single, r.Double, r.Byte)));
            Assert.Equal(new DateTime(2026, 11, 28, 1, 2, 3), rows[0].When);
            Assert.Equal([float.NaN, 2], rows[0].Numbers);
            Assert.Equal([1], rows[1].Numbers);
            Assert.Equal(["x", ""], rows[0].Texts);
            Assert.Equal(Sparse(1).DenseValues(), rows[0].Sparse.DenseValues());
            Assert.Equal(Sparse(3).DenseValues(), rows[1].Sparse.DenseValues());
            Assert.False(rows[1].Sparse.IsDense);
            Assert.Equal((MLPixelFormat.Bgra32, MLPixelFormat.Rgba32), (rows[0].Picture!.PixelFormat, rows[1].Picture!.PixelFormat));
            Assert.Equal(Views.Image(1).Pixels.ToArray(), rows[0].Picture!.Pixels.ToArray());
            Assert.Equal(Clear().Pixels.ToArray(), rows[1].Picture!.Pixels.ToArray());
        }
        Assert.Equal(kinds.Schema.Select(c => $"{c.Name} {c.Type}"), stored.Schema.Select(c => $"{c.Name} {c.Type}"));
        Assert.Equal(2, stored.GetRowCount());
    }

    [Fact]
    public void AppendRowStore_DrawsEachGridOnce()
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat");
        TransformerChain<RowStoreTransformer> fitted = Stage(Grids).AppendRowStore(_ml).Fit(captions);
        IDataView stored = fitted.Transform(captions);
        Assert.Empty(_teacher.Batches);
        string[] first = Views.Column(stored, "Grid");
        Assert.Equal(first, Views.Column(stored, "Grid"));
        Assert.Equal(2, _teacher.Batches.Count);
        Assert.Equal(GridLayout.OneByTwo.ToString(), Annotated(stored, "Grid"));
    }

    [Fact]
    public void InAFolder_AnotherPassDrawsNothing_AndAnotherInputOrModelDoes()
    {
        string[] Drawn(GridGeneratorOptions options, string? key, params string[] captions)
        {
            IDataView view = Views.Captions(_ml, captions);
            return Views.Column(Stage(options).AppendRowStore(_ml, _folder.Path, key).Fit(view).Transform(view), "Grid");
        }
        string[] first = Drawn(Grids, null, "a fox", "a cat");
        Assert.Equal(first, Drawn(Grids, null, "a fox", "a cat"));
        Assert.Equal(first, Drawn(Grids with { Device = "cpu", BatchSize = 2 }, null, "a fox", "a cat"));
        Assert.Equal(2, _teacher.Batches.Count);
        Drawn(Grids, null, "a fox", "a dog");
        Assert.Equal(4, _teacher.Batches.Count);
        Drawn(Grids with { Seed = 9 }, null, "a fox", "a cat");
        Assert.Equal(6, _teacher.Batches.Count);
        Drawn(Grids, "second", "a fox", "a cat");
        Assert.Equal(8, _teacher.Batches.Count);
        Assert.Equal(4, Directory.GetDirectories(_folder.Path).Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void APassThatEndsEarly_GoesOnWhereItStopped(bool inFolder)
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat", "a dog");
        RowStoreTransformer store = new RowStore(_ml, new RowStoreOptions { Folder = inFolder ? _folder.Path : null }).Fit(captions);
        IDataView Stored() => store.Transform(Stage(Grids).Fit(captions).Transform(captions));
        IDataView stored = Stored();
        using (DataViewRowCursor cursor = stored.GetRowCursor(stored.Schema))
        {
            Assert.True(cursor.MoveNext());
            Assert.True(cursor.MoveNext());
        }
        Assert.Equal(2, _teacher.Batches.Count);
        Assert.Equal(3, Views.Column(inFolder ? Stored() : stored, "Grid").Length);
        Assert.Equal(["a fox", "a cat", "a dog"], _teacher.Batches.Select(b => Names(b[0].Prompt)));
        Assert.Equal(3, _teacher.Batches.Count);
    }

    [Fact]
    public void AFailure_KeepsTheRowsBeforeIt()
    {
        IDataView captions = Views.Captions(_ml, "a fox", "", "a dog");
        IDataView stored = Stage(Grids).AppendRowStore(_ml, _folder.Path).Fit(captions).Transform(captions);
        Assert.Equal(1, Assert.Throws<DsdRowException>(() => Views.Column(stored, "Grid")).Row);
        Assert.Equal(1, Assert.Throws<DsdRowException>(() => Views.Column(stored, "Grid")).Row);
        Assert.Single(_teacher.Batches);
    }

    [Fact]
    public void ARowThatWasCutOff_IsComputedAgain()
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat");
        IDataView Stored() => Stage(Grids).AppendRowStore(_ml, _folder.Path).Fit(captions).Transform(captions);
        string[] first = Views.Column(Stored(), "Grid");
        string folder = Assert.Single(Directory.GetDirectories(_folder.Path));
        File.Delete(Path.Combine(folder, "rows.json"));
        using (FileStream rows = File.OpenWrite(Path.Combine(folder, "rows.bin")))
        {
            rows.SetLength(rows.Length - 5);
        }
        Assert.Equal(first, Views.Column(Stored(), "Grid"));
        Assert.Equal(3, _teacher.Batches.Count);
        Assert.True(File.Exists(Path.Combine(folder, "rows.json")));
    }

    [Theory]
    [InlineData("rows.bin", 40)]
    [InlineData("rows.bin", 0)]
    [InlineData("rows.json", 0)]
    public void ADamagedStore_IsNamed(string file, int at)
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat");
        IDataView Stored() => Stage(Grids).AppendRowStore(_ml, _folder.Path).Fit(captions).Transform(captions);
        Views.Column(Stored(), "Grid");
        string path = Path.Combine(Assert.Single(Directory.GetDirectories(_folder.Path)), file);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[at] ^= 0xff;
        File.WriteAllBytes(path, bytes);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Views.Column(Stored(), "Grid"));
        Assert.Contains(file, e.Message, StringComparison.Ordinal);
        Assert.Contains("Remove the folder", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALengthThatLies_CostsNoMemory()
    {
        string folder = _folder.File("store");
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "rows.bin"), [.. "DSDROWS1"u8, 0xff, 0xff, 0xff, 0x3f, .. new byte[64]]);
        Assert.Equal(0, new MLNet.Data.Store.FolderRows(folder, []).Count);
    }

    [Fact]
    public void TwoWriters_AreRefused()
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat");
        IDataView Stored() => Stage(Grids).AppendRowStore(_ml, _folder.Path).Fit(captions).Transform(captions);
        IDataView first = Stored();
        using DataViewRowCursor cursor = first.GetRowCursor(first.Schema);
        Assert.True(cursor.MoveNext());
        Assert.Contains("another program", Assert.Throws<IOException>(() => Views.Column(Stored(), "Grid")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BehindACurator_GridsThatWereJudgedAreNotJudgedAgain()
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat", "a dog");
        AnsweringClient client = new(_ => true);
        VlmCuratorOptions options = new() { ChatClient = client, Judging = new PairJudgeOptions { Concurrency = 1 } };
        IDataView Stored() => Stage(Grids).Append(new VlmCurator(_ml, options)).AppendRowStore(_ml, _folder.Path).Fit(captions).Transform(captions);
        IDataView stored = Stored();
        using (DataViewRowCursor cursor = stored.GetRowCursor(stored.Schema))
        {
            // Two rows a grid: the first grid's, and one of the second's.
            Assert.True(cursor.MoveNext() && cursor.MoveNext() && cursor.MoveNext());
        }
        int before = client.Asked;
        string[] prompts = Views.Column(Stored(), "Caption");
        Assert.Equal(["a fox", "a fox", "a cat", "a cat", "a dog", "a dog"], prompts);
        Assert.Equal(2, client.Asked - before);
        Assert.Equal(6, Views.Column(Stored(), "Target").Length);
        Assert.Equal(2, client.Asked - before);
    }

    [Fact]
    public void ShuffleStoredRows_KeepsImagesAndRows()
    {
        IDataView references = Views.References(_ml, 8);
        IDataView stored = _ml.Data.StoreRows(references);
        IDataView shuffled = _ml.Data.ShuffleStoredRows(stored, seed: 3);
        string[] order = Views.Column(shuffled, "Prompt");
        Assert.NotEqual(Views.Column(references, "Prompt"), order);
        Assert.Equal(order, Views.Column(shuffled, "Prompt"));
        Assert.Equal(
            Views.Column(references, "Prompt").Zip(Views.Column(references, "Reference")).Order(), order.Zip(Views.Column(shuffled, "Reference")).Order());
        Assert.NotEqual(order, Views.Column(_ml.Data.ShuffleStoredRows(stored, seed: 4), "Prompt"));
        IDataView curated = new VlmCurator(_ml, new VlmCuratorOptions { Layout = GridLayout.TwoByTwo }).Fit(SampleInput.Of(_ml, "grids"))
            .Transform(SampleInput.Of(_ml, "grids"));
        Assert.Contains("StoreRows", Assert.Throws<ArgumentException>(() => _ml.Data.ShuffleStoredRows(curated)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAdaptersColumn_IsReadFromWhereItIsNoted()
    {
        IDataView pairs = Views.Pairs(_ml, true, true);
        LoraFineTunerTransformer tuned = new LoraFineTuner(_ml, null, new PaintedModels()).Fit(pairs);
        IDataView stored = _ml.Data.StoreRows(tuned.Transform(pairs), _folder.Path);
        Assert.Equal([tuned.Adapter.Fingerprint, tuned.Adapter.Fingerprint], Views.Column(stored, "Adapter"));
    }

    [Fact]
    public void PredictionEngine_PassesThrough()
    {
        IDataView captions = Views.Captions(_ml, "a fox");
        TransformerChain<RowStoreTransformer> fitted = Stage(Grids).AppendRowStore(_ml, _folder.Path).Fit(captions);
        using PredictionEngine<CaptionRow, Row> engine = _ml.Model.CreatePredictionEngine<CaptionRow, Row>(fitted);
        Assert.Equal(64, engine.Predict(new CaptionRow { Caption = "a cat" }).Grid!.Width);
        Assert.Empty(Directory.GetDirectories(_folder.Path));
    }

    [Fact]
    public void SavedAndLoaded_ItKeepsItsFolder()
    {
        IDataView captions = Views.Captions(_ml, "a fox");
        RowStoreTransformer store = new RowStore(_ml, new RowStoreOptions { Folder = _folder.File("store"), Key = "k" }).Fit(captions);
        _ml.Model.Save(store, captions.Schema, _folder.File("model.zip"));
        RowStoreTransformer found = (RowStoreTransformer)new MLContext().Model.Load(_folder.File("model.zip"), out _);
        Assert.Equal(store.Options, found.Options);
        Assert.Equal("elsewhere", found.With(found.Options with { Folder = "elsewhere" }).Options.Folder);
        Assert.Equal(["a fox"], Views.Column(found.Transform(captions), "Caption"));
    }

    [Fact]
    public void WhatCannotBe_IsRefused()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new RowStore(_ml, new RowStoreOptions { Key = "k" }));
        Assert.Contains("Folder", e.Message, StringComparison.Ordinal);
        IDataView odd = _ml.Data.LoadFromEnumerable(new[] { new Odd() });
        Assert.Contains("'Offset'", Assert.Throws<NotSupportedException>(() => _ml.Data.StoreRows(odd)).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder.File("file"), "");
        Assert.Throws<IOException>(() => _ml.Data.StoreRows(Views.Captions(_ml, "a"), Path.Combine(_folder.File("file"), "store")));
    }

    private static string Names(string prompt) => new[] { "a fox", "a cat", "a dog" }.Single(n => prompt.Contains(n, StringComparison.Ordinal));

    private static string Annotated(IDataView view, string column)
    {
        ReadOnlyMemory<char> layout = default;
        view.Schema[column].Annotations.GetValue("GridLayout", ref layout);
        return layout.ToString();
    }

    private static VBuffer<float> Sparse(int at) => new(1000, 1, [7f], [at]);

    private static MLImage Clear() => MLImage.CreateFromPixels(2, 1, MLPixelFormat.Rgba32, [10, 20, 30, 40, 1, 2, 3, 255]);

    private GridGenerator Stage(GridGeneratorOptions options) => new(_ml, options, new PaintedModels { Teacher = _teacher });

    private sealed class Row
    {
        public MLImage? Grid { get; set; }
    }

    private sealed class Odd
    {
        public DateTimeOffset Offset { get; set; }
    }

    private sealed class Kinds
    {
        public string Text { get; set; } = "a fox, 狐";

        public bool Flag { get; set; } = true;

        public long Long { get; set; } = long.MinValue;

        public float Single { get; set; } = 1.5f;

        public double Double { get; set; } = -2.5;

        public byte Byte { get; set; } = 200;

        public DateTime When { get; set; } = new(2026, 11, 28, 1, 2, 3);

        public float[] Numbers { get; set; } = [float.NaN, 2];

        public string[] Texts { get; set; } = ["x", ""];

        [VectorType(1000)]
        public VBuffer<float> Sparse { get; set; } = RowStoreTests.Sparse(1);

        public MLImage? Picture { get; set; } = Views.Image(1);
    }
}
