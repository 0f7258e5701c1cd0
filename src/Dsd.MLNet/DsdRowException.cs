namespace Dsd.MLNet;

/// <summary>A row whose value could not be computed. The inner exception says why.</summary>
public sealed class DsdRowException : InvalidOperationException
{
    internal DsdRowException(long row, string column, string reason, Exception? inner = null)
        : this(row, 1, column, reason, inner)
    {
    }

    internal DsdRowException(long row, int count, string column, string reason, Exception? inner)
        : base($"{Name(row, count)}, column '{column}': {reason}", inner)
    {
        Row = row;
        Column = column;
    }

    /// <summary>The row's position in its data view, from 0; the first of them where several rows were computed together.</summary>
    public long Row { get; }

    /// <summary>The column that was being computed or read.</summary>
    public string Column { get; }

    /// <summary>Whether the work went wrong, such as drawing or a chat client, and not what the row holds.</summary>
    internal bool OfWork { get; init; }

    internal static string Name(long row, int count) => count == 1 ? $"Row {row}" : $"Rows {row} to {row + count - 1} (computed together)";
}
