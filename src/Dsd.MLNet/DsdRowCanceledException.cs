namespace Dsd.MLNet;

/// <summary>A row that was being computed when the work was cancelled, through an option's token or by ML.NET cancelling the context.</summary>
public sealed class DsdRowCanceledException : OperationCanceledException
{
    internal DsdRowCanceledException(long row, int count, string column, OperationCanceledException inner)
        : base($"{DsdRowException.Name(row, count)}, column '{column}': the work was cancelled.", inner, inner.CancellationToken)
    {
        Row = row;
        Column = column;
    }

    /// <summary>The row's position in its data view, from 0; the first of them where several rows were being computed together.</summary>
    public long Row { get; }

    /// <summary>The column that was being computed.</summary>
    public string Column { get; }
}
