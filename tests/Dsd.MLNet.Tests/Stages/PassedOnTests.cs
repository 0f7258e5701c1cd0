using Dsd.Curation.Grids;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Sampling;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>What a getter gives is good only until its cursor goes on (ML.NET's own rule), also where rows are read ahead.</summary>
public sealed class PassedOnTests
{
    private readonly MLContext _ml = new(1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void ImagesFromFiles_AreDrawnFromAndPassedThroughWhateverTheBatch(int batch)
    {
        using TemporaryFolder folder = new();
        IDataView files = ImageFiles.Of(_ml, "references", folder.Path);
        using DsdGeneratorTransformer fitted = Generator(batch).Fit(files);
        IDataView memory = SampleInput.Of(_ml, "references");
        Assert.Equal(Views.Column(fitted.Transform(memory), "Generated"), Views.Column(fitted.Transform(files), "Generated"));
        // Kept over all rows, as CreateEnumerable keeps them.
        ReferenceRow[] rows = [.. _ml.Data.CreateEnumerable<ReferenceRow>(fitted.Transform(files), reuseRowObject: false)];
        Assert.Equal(Views.Column(memory, "Reference"), rows.Select(r => Shown(r.Reference!)));
    }

    [Fact]
    public void ACallersImages_OutliveResizeImagesAndTheStages()
    {
        ReferenceRow[] rows = [.. Enumerable.Range(0, 3).Select(i => new ReferenceRow { Reference = Views.Image(i), Prompt = $"prompt {i}" })];
        IDataView loaded = _ml.Data.LoadFromEnumerable(rows);
        IDataView resized = _ml.Transforms.ResizeImages("Reference", 32, 32).Fit(loaded).Transform(loaded);
        using DsdGeneratorTransformer fitted = Generator(2).Fit(resized);
        string[] first = Views.Column(fitted.Transform(resized), "Generated");
        Assert.Equal(first, Views.Column(fitted.Transform(resized), "Generated"));
        Assert.All(rows, r => Assert.Equal(32, r.Reference!.Width));
    }

    [Fact]
    public void TextsAndVectors_AreCopiedFromASourceThatUsesItsBuffersAgain()
    {
        using DsdGeneratorTransformer generator = Generator(4).Fit(new Reused());
        IDataView view = generator.Transform(new Reused());
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        string[] names = ["Prompt", "Texts", "Numbers"];
        Func<string>[] readers = [.. names.Select(n => n == "Numbers" ? Numbers(cursor, view.Schema[n]) : Views.Reader(cursor, view.Schema[n]))];
        List<string> seen = [];
        while (cursor.MoveNext())
        {
            seen.Add(string.Join(' ', readers.Select(r => r())));
        }
        Assert.Equal(["p0 a0|b0 0;1", "p1 a1|b1 1;2", "p2 a2|b2 2;3"], seen);
    }

    [Fact]
    public void ARowThatCannotBeRead_FailsWhenItIsReached()
    {
        using TemporaryFolder folder = new();
        IDataView files = ImageFiles.Of(_ml, "references", folder.Path);
        using DsdGeneratorTransformer fitted = Generator(4).Fit(files);
        File.Delete(folder.File("Reference2.png"));
        IDataView view = fitted.Transform(files);
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Generated"]]);
        Func<string> read = Views.Reader(cursor, view.Schema["Generated"]);
        Assert.True(cursor.MoveNext());
        read();
        Assert.True(cursor.MoveNext());
        read();
        Assert.ThrowsAny<Exception>(() => cursor.MoveNext());
    }

    [Fact]
    public void TheOtherStages_PassFilesThroughToo()
    {
        using TemporaryFolder folder = new();
        IDataView grids = ImageFiles.Of(_ml, "grids", folder.Path);
        string[] expected = Views.Column(SampleInput.Of(_ml, "grids"), "Grid");
        VlmCuratorOptions judging = new() { ChatClient = new AnsweringClient(_ => true), Layout = GridLayout.TwoByTwo };
        using VlmCuratorTransformer curator = new VlmCurator(_ml, judging).Fit(grids);
        Assert.Equal(expected.SelectMany(g => Enumerable.Repeat(g, 12)), Views.Column(curator.Transform(grids), "Grid"));
        using GridGeneratorTransformer generator = new GridGenerator(_ml, Second, new PaintedModels()).Fit(grids);
        Assert.Equal(expected, Images(generator.Transform(grids), "Grid").Select(Shown));
        using LoraFineTunerTransformer tuner = new LoraFineTuner(_ml, null, new PaintedModels()).Fit(ImageFiles.Of(_ml, "pairs", folder.Path));
        Assert.Equal(expected, Images(tuner.Transform(grids), "Grid").Select(Shown));
    }

    private static GridGeneratorOptions Second => new()
    {
        Layout = GridLayout.OneByTwo,
        GridColumn = "SecondGrid",
        PanelCaptionsColumn = "Panels",
        Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1 },
        BatchSize = 2,
    };

    private DsdGenerator Generator(int batch) =>
        new(
            _ml, new DsdGeneratorOptions { Model = "none", Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1 }, BatchSize = batch },
            new PaintedModels());

    private static string Shown(MLImage image) =>
        $"{image.Width}x{image.Height}:{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(image.Pixels))}";

    private static List<MLImage> Images(IDataView view, string column)
    {
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<MLImage> get = cursor.GetGetter<MLImage>(view.Schema[column]);
        List<MLImage> images = [];
        while (cursor.MoveNext())
        {
            MLImage image = null!;
            get(ref image);
            images.Add(image);
        }
        return images;
    }

    private static Func<string> Numbers(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<VBuffer<float>> get = row.GetGetter<VBuffer<float>>(column);
        return () =>
        {
            VBuffer<float> value = default;
            get(ref value);
            return string.Join(';', value.DenseValues());
        };
    }

    /// <summary>Three rows from one set of buffers.</summary>
    private sealed class Reused : IDataView
    {
        public Reused()
        {
            DataViewSchema.Builder builder = new();
            builder.AddColumn("Reference", MLImages.Type(32, 32));
            builder.AddColumn("Prompt", TextDataViewType.Instance);
            builder.AddColumn("Texts", new VectorDataViewType(TextDataViewType.Instance, 2));
            builder.AddColumn("Numbers", new VectorDataViewType(NumberDataViewType.Single, 2));
            Schema = builder.ToSchema();
        }

        public bool CanShuffle => false;

        public DataViewSchema Schema { get; }

        public long? GetRowCount() => 3;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(Schema);

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [new Cursor(Schema)];

        private sealed class Cursor(DataViewSchema schema) : DataViewRowCursor
        {
            private readonly char[] _text = "p0".ToCharArray();
            private readonly char[] _texts = "a0b0".ToCharArray();
            private readonly ReadOnlyMemory<char>[] _slots = new ReadOnlyMemory<char>[2];
            private readonly float[] _numbers = new float[2];
            private MLImage? _image;
            private long _position = -1;

            public override long Position => _position;

            public override long Batch => 0;

            public override DataViewSchema Schema => schema;

            public override bool MoveNext()
            {
                if (_position is 2 or < -1)
                {
                    _position = -1;
                    return false;
                }
                _position++;
                _text[1] = _texts[1] = _texts[3] = (char)('0' + _position);
                (_slots[0], _slots[1]) = (_texts.AsMemory(0, 2), _texts.AsMemory(2, 2));
                (_numbers[0], _numbers[1]) = (_position, _position + 1);
                _image?.Dispose();
                _image = Views.Image((int)_position);
                return true;
            }

            public override bool IsColumnActive(DataViewSchema.Column column) => true;

            public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => (ValueGetter<TValue>)(column.Name switch
            {
                "Reference" => (ValueGetter<MLImage>)((ref value) => value = _image!),
                "Prompt" => (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = _text),
                "Texts" => (ValueGetter<VBuffer<ReadOnlyMemory<char>>>)((ref value) => value = new(2, _slots)),
                _ => (Delegate)(ValueGetter<VBuffer<float>>)((ref value) => value = new(2, _numbers)),
            });

            public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, 0);
        }
    }
}
