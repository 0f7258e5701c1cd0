using System.Diagnostics;
using Dsd.MLNet.Columns;
using Dsd.Testing;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

/// <summary>What every estimator must do, tested on each with real components.</summary>
public abstract class EstimatorConformance
{
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

    private static string Describe(SchemaShape.Column column) =>
        $"{column.Name} {column.Kind} {column.ItemType.GetType().Name} {string.Join(',', column.Annotations.Select(a => a.Name))}";

    private IReadOnlyList<string> RunLoadApp(string model)
    {
        ProcessStartInfo start = new("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Dsd.MLNet.LoadApp.dll"), model, Input, .. NeedsClient ? new[] { "--client" } : []])
        {
            start.ArgumentList.Add(argument);
        }
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A fitted stage that is released with the test.</summary>
    private sealed class Fitted(ITransformer transformer) : IDisposable
    {
        public ITransformer Transformer => transformer;

        public void Dispose() => (transformer as IDisposable)?.Dispose();
    }
}
