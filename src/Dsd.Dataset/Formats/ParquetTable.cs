using Dsd.Common.Files;
using Parquet;
using Parquet.Schema;

namespace Dsd.Dataset.Formats;

/// <summary>A table of texts and numbers as one Parquet file, which any program of data analysis reads.</summary>
public static class ParquetTable
{
    // So that readers which go by groups need little memory at a time.
    private const int RowsInGroup = 100_000;

    /// <summary>Writes a table: whole, or not at all.</summary>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <param name="columns">The columns, all of one length, at least one, each named differently.</param>
    /// <exception cref="ArgumentException">There is no column, two have one name, or their lengths differ.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, params IReadOnlyList<TableColumn> columns)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count == 0 || columns.Any(c => c.Count != columns[0].Count) || columns.DistinctBy(c => c.Name).Count() != columns.Count)
        {
            throw new ArgumentException(
                "A table has columns of one length and different names, but these are "
                    + $"{(columns.Count == 0 ? "none" : string.Join(", ", columns.Select(c => $"'{c.Name}' of {c.Count}")))}.",
                nameof(columns));
        }
        ParquetSchema schema = new([.. columns.Select(c => c.Field)]);
        AtomicFile.Write(path, stream => WriteAsync(stream, schema, columns).GetAwaiter().GetResult());
    }

    /// <summary>One value a row. A value stands at the deepest level; where there is none, the level above it says so.</summary>
    internal static void WriteValues<T>(ParquetRowGroupWriter group, DataField field, IReadOnlyList<T?> values)
        where T : struct
    {
        int[] levels = [.. values.Select(v => v is null ? field.MaxDefinitionLevel - 1 : field.MaxDefinitionLevel)];
        group.WriteAllPartsAsync<T>(field, (T[])[.. values.Where(v => v is not null).Select(v => v!.Value)], levels, null, CancellationToken.None)
            .GetAwaiter().GetResult();
    }

    // Written out: '? text.AsMemory() : null' is an empty text, by way of an array that is null.
    internal static ReadOnlyMemory<char>? Characters(string? text) => text is null ? new ReadOnlyMemory<char>?() : text.AsMemory();

    private static async Task WriteAsync(Stream stream, ParquetSchema schema, IReadOnlyList<TableColumn> columns)
    {
        ParquetWriter writer =
            await ParquetWriter.CreateAsync(schema, stream, new ParquetOptions { CompressionMethod = CompressionMethod.Snappy }).ConfigureAwait(false);
        await using (writer.ConfigureAwait(false))
        {
            // Readers want at least one group, even where there is no row.
            int first = 0;
            do
            {
                int count = Math.Min(RowsInGroup, columns[0].Count - first);
                using ParquetRowGroupWriter group = writer.CreateRowGroup();
                foreach ((TableColumn column, DataField field) in columns.Zip(schema.DataFields))
                {
                    column.Write(group, field, first, count);
                }
                group.CompleteValidate();
                first += count;
            }
            while (first < columns[0].Count);
        }
    }
}
