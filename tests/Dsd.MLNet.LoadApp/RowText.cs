using System.Globalization;
using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.LoadApp;

/// <summary>Rows as text that tells any two different rows apart.</summary>
public static class RowText
{
    /// <summary>Every row of a view, with every column whose type it knows.</summary>
    public static IReadOnlyList<string> Of(IDataView view)
    {
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        Func<string>[] readers = [.. view.Schema.Where(c => !c.IsHidden).Select(c => Reader(cursor, c))];
        List<string> rows = [];
        while (cursor.MoveNext())
        {
            rows.Add(string.Join("; ", readers.Select(r => r())));
        }
        return rows;
    }

    private static Func<string> Reader(DataViewRow row, DataViewSchema.Column column)
    {
        Type type = column.Type.RawType;
        return type == typeof(MLImage) ? Value<MLImage>(row, column, i => $"{i.Width}x{i.Height} {Convert.ToHexString(SHA256.HashData(i.Pixels))}")
            : type == typeof(ReadOnlyMemory<char>) ? Value<ReadOnlyMemory<char>>(row, column, v => v.ToString())
            : type == typeof(VBuffer<ReadOnlyMemory<char>>) ? Value<VBuffer<ReadOnlyMemory<char>>>(row, column, v => string.Join('|', v.DenseValues()))
            : type == typeof(VBuffer<float>) ? Value<VBuffer<float>>(
                row, column, v => string.Join('|', v.DenseValues().Select(n => n.ToString("R", CultureInfo.InvariantCulture))))
            : type == typeof(bool) ? Value<bool>(row, column, v => v.ToString())
            : type == typeof(float) ? Value<float>(row, column, v => v.ToString("R", CultureInfo.InvariantCulture))
            : () => $"{column.Name} is {column.Type}";
    }

    private static Func<string> Value<T>(DataViewRow row, DataViewSchema.Column column, Func<T, string> show)
    {
        ValueGetter<T> get = row.GetGetter<T>(column);
        return () =>
        {
            T value = default!;
            get(ref value);
            return $"{column.Name}={show(value)}";
        };
    }
}
