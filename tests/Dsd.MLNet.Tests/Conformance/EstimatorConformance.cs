using System.Collections.Concurrent;
using Dsd.MLNet.Stages.Columns;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.Conformance;

/// <summary>What every estimator must do, tested on each with real components.</summary>
public abstract class EstimatorConformance
{
    private static readonly ConcurrentDictionary<Type, IDataView> Shared = new();
    private readonly MLContext _ml = new(1);

    /// <summary>The sample input that it is tested on.</summary>
    protected abstract string Input { get; }

    /// <summary>The columns that it adds.</summary>
    protected abstract IReadOnlyList<string> Added { get; }

    /// <summary>The columns that it needs: role, name, and type in ML.NET's words.</summary>
    protected abstract IReadOnlyList<(string Role, string Column, string Type)> Needed { get; }

    /// <summary>Whether a new process must register the sample chat client.</summary>
    protected virtual bool NeedsClient => false;

    /// <summary>Makes the estimator.</summary>
    protected abstract IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken);

    private IDataView Data => SampleInput.Of(_ml, Input);

    private IEstimator<ITransformer> Estimator => Create(_ml, CancellationToken.None);

    [Fact]
    public void GetOutputSchema_PromisesWhatTransformGives()
    {
        IDataView data = Data;
        SchemaShape promised = Estimator.GetOutputSchema(ColumnCheck.ShapeOf(data.Schema));
        using Fitted fitted = new(Estimator.Fit(data));
        SchemaShape given = ColumnCheck.ShapeOf(fitted.Transformer.GetOutputSchema(data.Schema));
        Assert.Equal(given.Select(Describe).Order(), promised.Select(Describe).Order());
    }

    [Fact]
    public void GetOutputSchema_AddsItsColumnsBehindTheInputs()
    {
        using Fitted fitted = new(Estimator.Fit(Data));
        Assert.Equal([.. Data.Schema.Select(c => c.Name), .. Added], fitted.Transformer.GetOutputSchema(Data.Schema).Select(c => c.Name));
    }

    [Fact]
    public void Fit_NamesAMissingColumn() => Assert.All(Needed, needed =>
    {
        IDataView data = _ml.Transforms.DropColumns(needed.Column).Fit(Data).Transform(Data);
        ArgumentOutOfRangeException e = Assert.Throws<ArgumentOutOfRangeException>(() => Estimator.Fit(data));
        Assert.StartsWith($"Could not find {needed.Role} column '{needed.Column}'", e.Message);
    });

    [Fact]
    public void Fit_NamesAColumnOfTheWrongType() => Assert.All(Needed, needed =>
    {
        IDataView data = _ml.Transforms.CopyColumns(needed.Column, "Number").Fit(Data).Transform(Data);
        ArgumentOutOfRangeException e = Assert.Throws<ArgumentOutOfRangeException>(() => Estimator.Fit(data));
        Assert.StartsWith($"Schema mismatch for {needed.Role} column '{needed.Column}': expected {needed.Type}, got Single", e.Message);
    });

    [Fact]
    public void GetOutputSchema_NamesAMissingColumn() => Assert.All(Needed, needed =>
    {
        IDataView data = _ml.Transforms.DropColumns(needed.Column).Fit(Data).Transform(Data);
        ArgumentOutOfRangeException e = Assert.Throws<ArgumentOutOfRangeException>(() => Estimator.GetOutputSchema(ColumnCheck.ShapeOf(data.Schema)));
        Assert.Contains($"'{needed.Column}'", e.Message);
    });

    [Fact]
    public void Transform_GivesEqualRowsEachTime()
    {
        using Fitted fitted = new(Estimator.Fit(Data));
        IReadOnlyList<string> rows = RowText.Of(fitted.Transformer.Transform(Data));
        Assert.NotEmpty(rows);
        Assert.Equal(rows, RowText.Of(fitted.Transformer.Transform(Data)));
    }

    [Fact]
    public void Load_InANewProcess_GivesEqualRows()
    {
        if (NeedsClient)
        {
            SampleClient.Register();
        }
        using TemporaryFolder folder = new();
        using Fitted fitted = new(Estimator.Fit(Data));
        _ml.Model.Save(fitted.Transformer, Data.Schema, folder.File("model.zip"));
        Assert.Equal(RowText.Of(fitted.Transformer.Transform(Data)), RunLoadApp(folder.File("model.zip")));
    }

    [Fact]
    public void Save_OfALoadedModel_LoadsAgain()
    {
        using TemporaryFolder folder = new();
        using Fitted fitted = new(Estimator.Fit(Data));
        _ml.Model.Save(fitted.Transformer, Data.Schema, folder.File("first.zip"));
        using Fitted first = new(_ml.Model.Load(folder.File("first.zip"), out DataViewSchema schema));
        _ml.Model.Save(first.Transformer, schema, folder.File("second.zip"));
        using Fitted second = new(_ml.Model.Load(folder.File("second.zip"), out _));
        Assert.Equal(
            second.Transformer.GetOutputSchema(Data.Schema).Select(c => $"{c.Name} {c.Type}"),
            fitted.Transformer.GetOutputSchema(Data.Schema).Select(c => $"{c.Name} {c.Type}"));
    }

    [Fact]
    public void Dispose_MayBeCalledTwice()
    {
        ITransformer fitted = Estimator.Fit(Data);
        RowText.Of(fitted.Transform(Data));
        ((IDisposable)fitted).Dispose();
        ((IDisposable)fitted).Dispose();
    }

    [Fact]
    public void Cancelling_StopsFitOrTheFirstRow()
    {
        using CancellationTokenSource source = new();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            using Fitted fitted = new(Create(_ml, source.Token).Fit(Data));
            RowText.Of(fitted.Transformer.Transform(Data));
        });
    }

    [Fact]
    public void Fit_NamesAVectorWhereAScalarBelongs() => Assert.All(Needed.Where(n => !n.Type.StartsWith("Vector", StringComparison.Ordinal)), needed =>
    {
        IDataView data = _ml.Transforms.Concatenate(needed.Column, "Number", "Number").Fit(Data).Transform(Data);
        ArgumentOutOfRangeException e = Assert.Throws<ArgumentOutOfRangeException>(() => Estimator.Fit(data));
        Assert.StartsWith($"Schema mismatch for {needed.Role} column '{needed.Column}': expected {needed.Type}, got Vector<Single", e.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Estimator.GetOutputSchema(ColumnCheck.ShapeOf(data.Schema)));
    });

    [Fact]
    public void Arguments_AreNamedWhenTheyAreNull()
    {
        Assert.Equal("mlContext", Assert.Throws<ArgumentNullException>(() => Create(null!, default)).ParamName);
        Assert.Equal("input", Assert.Throws<ArgumentNullException>(() => Estimator.Fit(null!)).ParamName);
        Assert.Equal("inputSchema", Assert.Throws<ArgumentNullException>(() => Estimator.GetOutputSchema(null!)).ParamName);
        using Fitted fitted = new(Estimator.Fit(Data));
        Assert.Equal("input", Assert.Throws<ArgumentNullException>(() => fitted.Transformer.Transform(null!)).ParamName);
        Assert.Equal("inputSchema", Assert.Throws<ArgumentNullException>(() => fitted.Transformer.GetOutputSchema(null!)).ParamName);
    }

    [Fact]
    public void GetRowToRowMapper_HasTheSameSchemasOrIsRefused()
    {
        IDataView data = Data;
        using Fitted fitted = new(Estimator.Fit(data));
        if (!fitted.Transformer.IsRowToRowMapper)
        {
            Assert.Throws<InvalidOperationException>(() => fitted.Transformer.GetRowToRowMapper(data.Schema));
            return;
        }
        IRowToRowMapper mapper = fitted.Transformer.GetRowToRowMapper(data.Schema);
        Assert.Same(data.Schema, mapper.InputSchema);
        Assert.Equal(fitted.Transformer.GetOutputSchema(data.Schema).Select(Describe), mapper.OutputSchema.Select(Describe));
    }

    [Fact]
    public void Cursor_GivesTheSameValuesWhicheverColumnsAreActive()
    {
        IDataView view = Transformed();
        string[] columns = [.. view.Schema.Select(c => c.Name).Where(n => n != "Adapter")];
        Dictionary<string, string[]> all = columns.ToDictionary(n => n, n => Views.Column(view, n));
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        Func<string>[] readers = [.. columns.Select(n => Views.Reader(cursor, view.Schema[n]))];
        int row = 0;
        while (cursor.MoveNext())
        {
            Assert.Equal(row, cursor.Position);
            Assert.Equal(columns.Select(n => all[n][row]), readers.Select(r => r()));
            row++;
        }
        Assert.Equal(row, all[columns[0]].Length);
        using DataViewRowCursor none = view.GetRowCursor([]);
        Assert.All(view.Schema, c => Assert.False(none.IsColumnActive(c)));
        Assert.Throws<ArgumentException>(() => Views.Reader(none, view.Schema[columns[^1]]));
    }

    [Fact]
    public void CursorSet_GivesEveryRowOnce()
    {
        IDataView view = Transformed();
        string[] expected = Views.Column(view, Added[0]);
        DataViewRowCursor[] cursors = view.GetRowCursorSet([view.Schema[Added[0]]], 3);
        List<string> rows = [];
        foreach (DataViewRowCursor cursor in cursors)
        {
            Func<string> read = Views.Reader(cursor, view.Schema[Added[0]]);
            while (cursor.MoveNext())
            {
                rows.Add(read());
            }
            cursor.Dispose();
        }
        Assert.Equal(expected.Order(), rows.Order());
    }

    [Fact]
    public void RowCount_IsThatOfTheRowsOrUnknown()
    {
        IDataView view = Transformed();
        Assert.True(view.GetRowCount() is not { } count || count == Views.Column(view, Added[0]).Length);
    }

    [Fact]
    public void AShuffledCursor_GivesTheSameRows()
    {
        IDataView view = Transformed();
        List<string> rows = [];
        using (DataViewRowCursor cursor = view.GetRowCursor([view.Schema[Added[0]]], new Random(3)))
        {
            Func<string> read = Views.Reader(cursor, view.Schema[Added[0]]);
            while (cursor.MoveNext())
            {
                rows.Add(read());
            }
        }
        Assert.Equal(Views.Column(view, Added[0]).Order(), rows.Order());
    }

    // ML.NET's own cursors (RowCursorUtils of 5.0.1): before the first MoveNext and after the last no value can be fetched.
    [Fact]
    public void Getters_SaySoWhereTheCursorStandsOnNoRow()
    {
        IDataView view = Transformed();
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        IEnumerable<DataViewSchema.Column> columns = view.Schema.Where(c => c.Name != "Adapter" || Added.Contains("Adapter"));
        Action[] readers = [.. columns.Select(c => Views.Reader(cursor, c)).Select(r => (Action)(() => r())), Id(cursor)];
        void SaysSo() => Assert.All(
            readers, read => Assert.StartsWith("Values cannot be fetched at this time.", Assert.ThrowsAny<InvalidOperationException>(read).Message));
        Assert.Equal(-1, cursor.Position);
        SaysSo();
        Assert.True(cursor.MoveNext());
        Assert.All(readers, read => read());
        while (cursor.MoveNext())
        {
        }
        Assert.Equal(-1, cursor.Position);
        SaysSo();
        Assert.False(cursor.MoveNext());
        using DataViewRowCursor closed = view.GetRowCursor(view.Schema);
        Func<string> added = Views.Reader(closed, view.Schema[Added[0]]);
        closed.MoveNext();
        closed.Dispose();
        Assert.StartsWith("Values cannot be fetched", Assert.ThrowsAny<InvalidOperationException>(added).Message);
    }

    [Fact]
    public void Save_OfALoadedModel_GivesTheSameBytes()
    {
        using TemporaryFolder folder = new();
        using Fitted fitted = new(Estimator.Fit(Data));
        _ml.Model.Save(fitted.Transformer, Data.Schema, folder.File("first.zip"));
        using Fitted first = new(_ml.Model.Load(folder.File("first.zip"), out DataViewSchema schema));
        _ml.Model.Save(first.Transformer, schema, folder.File("second.zip"));
        Assert.Equal(Entries(folder.File("first.zip")), Entries(folder.File("second.zip")));
    }

    [Fact]
    public void ImagesFromFiles_ComeThroughWhole()
    {
        using TemporaryFolder folder = new();
        IDataView files = ImageFiles.Of(_ml, Input, folder.Path);
        using Fitted fitted = new(Estimator.Fit(files));
        (IDataView expected, IDataView given) = (fitted.Transformer.Transform(Data), fitted.Transformer.Transform(files));
        IEnumerable<string> compared = Needed.Select(n => n.Column).Concat(Added).Where(n => n != "Adapter");
        Assert.All(compared, name => Assert.Equal(Views.Column(expected, name), Views.Column(given, name)));
    }

    // What PredictionEngine does.
    [Fact]
    public void OneRowAtATime_GivesTheSameTypesAndRows()
    {
        IDataView data = Data;
        using Fitted fitted = new(Estimator.Fit(data));
        if (!fitted.Transformer.IsRowToRowMapper)
        {
            return;
        }
        IRowToRowMapper mapper = fitted.Transformer.GetRowToRowMapper(data.Schema);
        DataViewSchema.Column[] added = [.. Added.Select(n => mapper.OutputSchema[n])];
        using DataViewRowCursor cursor = data.GetRowCursor(mapper.GetDependencies(added));
        using DataViewRow row = mapper.GetRow(cursor, added);
        Func<string>[] readers = [.. added.Select(c => Views.Reader(row, c))];
        Assert.ThrowsAny<InvalidOperationException>(readers[0]);
        int rows = 0;
        while (cursor.MoveNext())
        {
            Assert.Equal(rows, row.Position);
            Assert.Equal(readers.Select(r => r()), readers.Select(r => r()));
            rows++;
        }
        Assert.Equal(3, rows);
    }

    private static Action Id(DataViewRowCursor cursor)
    {
        ValueGetter<DataViewRowId> get = cursor.GetIdGetter();
        return () =>
        {
            DataViewRowId id = default;
            get(ref id);
        };
    }

    private static string[] Entries(string zip)
    {
        using System.IO.Compression.ZipArchive archive = System.IO.Compression.ZipFile.OpenRead(zip);
        IEnumerable<System.IO.Compression.ZipArchiveEntry> own = archive.Entries.Where(
            e => e.FullName.StartsWith("TransformerChain", StringComparison.Ordinal));
        return [.. own.OrderBy(e => e.FullName, StringComparer.Ordinal).Select(e =>
        {
            using Stream stream = e.Open();
            return $"{e.FullName} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(stream))}";
        })];
    }

    // Fitting a generator exports its model, which takes seconds: tests that only read share one.
    private IDataView Transformed() => Shared.GetOrAdd(GetType(), _ => Estimator.Fit(Data).Transform(Data));

    private static string Describe(DataViewSchema.Column column) =>
        $"{column.Name} {column.Type} {string.Join(',', column.Annotations.Schema.Select(a => $"{a.Name} {a.Type}"))}";

    private static string Describe(SchemaShape.Column column) =>
        $"{column.Name} {column.Kind} {column.ItemType} {column.IsKey} {string.Join(',', column.Annotations.Select(a => $"{a.Name} {a.Kind} {a.ItemType}"))}";

    private IReadOnlyList<string> RunLoadApp(string model) => LoadProgram.Run([model, Input, .. NeedsClient ? new[] { "--client" } : []]);

    /// <summary>A fitted stage that is released with the test.</summary>
    private sealed class Fitted(ITransformer transformer) : IDisposable
    {
        public ITransformer Transformer => transformer;

        public void Dispose() => (transformer as IDisposable)?.Dispose();
    }
}
