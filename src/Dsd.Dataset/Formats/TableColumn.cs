using Parquet;
using Parquet.Schema;

namespace Dsd.Dataset.Formats;

/// <summary>A column of a <see cref="ParquetTable"/>.</summary>
public abstract class TableColumn
{
    private protected TableColumn(string name, int count, DataField field) => (Name, Count, Field) = (name, count, field);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>How many values it has.</summary>
    public int Count { get; }

    internal DataField Field { get; }

    /// <summary>A column of texts.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="values">Its values; null is none.</param>
    public static TableColumn Texts(string name, IReadOnlyList<string?> values)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(values);
        return new Of<ReadOnlyMemory<char>>(name, new DataField<string>(name, nullable: true), values.Count, i => ParquetTable.Characters(values[i]));
    }

    /// <summary>A column of numbers.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="values">Its values; null is none.</param>
    public static TableColumn Numbers(string name, IReadOnlyList<double?> values)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(values);
        return new Of<double>(name, new DataField<double>(name, nullable: true), values.Count, i => values[i]);
    }

    internal abstract void Write(ParquetRowGroupWriter group, DataField field, int first, int count);

    private sealed class Of<T>(string name, DataField field, int count, Func<int, T?> value) : TableColumn(name, count, field)
        where T : struct
    {
        internal override void Write(ParquetRowGroupWriter group, DataField into, int first, int rows) =>
            ParquetTable.WriteValues<T>(group, into, [.. Enumerable.Range(first, rows).Select(value)]);
    }
}
