using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>What becomes of bad rows, and how many rows are made of one.</summary>
/// <param name="BadRows">What becomes of bad rows.</param>
/// <param name="ErrorColumn">The column that marks them.</param>
/// <param name="Count">How many rows are made of one.</param>
/// <param name="NumberColumn">The column that numbers them where there are several.</param>
internal sealed record RowPolicy(BadRows BadRows, string ErrorColumn, int Count = 1, string NumberColumn = "Number")
{
    /// <summary>Bad rows fail, and each row gives one.</summary>
    public static RowPolicy Strict { get; } = new(BadRows.Fail, "Error");

    /// <summary>Whether each row gives exactly one.</summary>
    public bool IsOneToOne => BadRows != BadRows.Skip && Count == 1;

    /// <summary>The number column's name where there is one.</summary>
    public string? Number => Count > 1 ? NumberColumn : null;

    /// <summary>A stage's added columns with the one that marks bad rows.</summary>
    public IReadOnlyList<AddedColumn> Marked(IReadOnlyList<AddedColumn> added) => BadRows != BadRows.Mark ? added :
        [.. added, new AddedColumn(ErrorColumn, TextDataViewType.Instance, [.. added.SelectMany(a => a.Reads).Distinct()])];

    /// <summary>The shape of the input with all columns that the stage adds.</summary>
    public SchemaShape Extend(SchemaShape input, IReadOnlyList<AddedColumn> added) =>
        ColumnCheck.Add(input, (Number is null ? Marked(added) : [RepeatedView.NumberOf(Number), .. Marked(added)]).Select(c => c.Shape));

    /// <exception cref="ArgumentException">Two of the columns that the stage adds have one name.</exception>
    public void RequireDifferent(IReadOnlyList<AddedColumn> added) => StageOptionCheck.Different(
        Number is null ? Marked(added).Select(c => c.Name) : [Number, .. Marked(added).Select(c => c.Name)]);

    /// <exception cref="InvalidOperationException">A row may give none or several.</exception>
    public void RequireOneToOne(string stage)
    {
        if (BadRows == BadRows.Skip)
        {
            throw new InvalidOperationException(
                $"{stage} leaves out bad rows (option {nameof(BadRows)} {BadRows.Skip}), so it does not map rows one to one, as PredictionEngine needs it. "
                + $"Set the option to {BadRows.Mark} or {BadRows.Fail}: With(options) of the fitted stage does so too.");
        }
        if (Count > 1)
        {
            throw new InvalidOperationException(
                $"{stage} gives {Count} rows for each (option {nameof(Count)}), so it does not map rows one to one, as PredictionEngine needs it. "
                + "Set the option to 1: With(options) of the fitted stage does so too.");
        }
    }

    /// <summary>Reads what a row holds, or says what is wrong with it.</summary>
    /// <param name="read">Reads.</param>
    /// <param name="isTheRows">Which failures are the row's. Null, the default: all but those of the work of a stage above.</param>
    public Outcome<T> Try<T>(Func<T> read, Func<Exception, bool>? isTheRows = null)
    {
        if (BadRows == BadRows.Fail)
        {
            return new Outcome<T>(read(), null);
        }
        try
        {
            return new Outcome<T>(read(), null);
        }
        catch (Exception e) when (e is not (OperationCanceledException or ObjectDisposedException or OutOfMemoryException)
            && (isTheRows?.Invoke(e) ?? e is not DsdRowException { OfWork: true }))
        {
            return new Outcome<T>(default!, e.Message);
        }
    }
}
