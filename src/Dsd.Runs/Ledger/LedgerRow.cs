using System.Globalization;
using System.Text;
using System.Text.Json;
using Dsd.Curation.Judging;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Ledger;

/// <summary>
/// A row of a ledger, read strictly: SQLite keeps any value in any column, and a ledger may come from elsewhere. Whatever does not fit is
/// told by ledger, table, row and field.
/// </summary>
/// <param name="file">The ledger.</param>
/// <param name="table">The table that the row is from.</param>
/// <param name="keys">How many of the first columns are the row's key.</param>
/// <param name="reader">Where it stands.</param>
internal readonly struct LedgerRow(string file, string table, int keys, SqliteDataReader reader)
{
    private const int MostTold = 60;
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>The same row, where a column of another table stands beside it.</summary>
    public LedgerRow Of(string otherTable) => new(file, otherTable, keys, reader);

    public string Text(int column) => TextOrNull(column) ?? throw Bad(column, "a text");

    public string? TextOrNull(int column)
    {
        if (reader.IsDBNull(column))
        {
            return null;
        }
        if (reader.GetFieldType(column) != typeof(string))
        {
            throw Bad(column, "a text");
        }
        try
        {
            // By its bytes: as text it would end at the first NUL, and other bytes than UTF-8 would become replacement signs.
            return Utf8.GetString(reader.GetFieldValue<byte[]>(column));
        }
        catch (DecoderFallbackException e)
        {
            throw Bad(column, "a text in UTF-8", "other bytes", e);
        }
    }

    public long Whole(int column, long least, long most) =>
        WholeOrNull(column, least, most) ?? throw Bad(column, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));

    public long? WholeOrNull(int column, long least, long most)
    {
        if (reader.IsDBNull(column))
        {
            return null;
        }
        return reader.GetFieldType(column) == typeof(long) && reader.GetInt64(column) is var value && value >= least && value <= most
            ? value
            : throw Bad(column, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));
    }

    public int Number(int column, int least, int most) => (int)Whole(column, least, most);

    public double Real(int column, double least, double most) =>
        RealOrNull(column, least, most) ?? throw Bad(column, string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"));

    public double? RealOrNull(int column, double least, double most)
    {
        if (reader.IsDBNull(column))
        {
            return null;
        }
        return (reader.GetFieldType(column) == typeof(double) || reader.GetFieldType(column) == typeof(long)) && reader.GetDouble(column) is var value
            && value >= least && value <= most
            ? value
            : throw Bad(column, string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"));
    }

    public bool Flag(int column) => FlagOrNull(column) ?? throw Bad(column, "0 or 1");

    public bool? FlagOrNull(int column)
    {
        if (reader.IsDBNull(column))
        {
            return null;
        }
        return reader.GetFieldType(column) == typeof(long) && reader.GetInt64(column) is 0 or 1 ? reader.GetInt64(column) == 1 : throw Bad(column, "0 or 1");
    }

    /// <summary>A word of a list, as it is written there.</summary>
    public T Word<T>(int column)
        where T : struct, Enum =>
        Enum.GetNames<T>().Contains(Text(column)) ? Enum.Parse<T>(Text(column)) : throw Bad(column, $"one of {string.Join(", ", Enum.GetNames<T>())}");

    /// <summary>A text with a form of its own.</summary>
    public T Parsed<T>(int column, string expected, Func<string, T> parse)
    {
        string text = Text(column);
        try
        {
            return parse(text);
        }
        catch (Exception e) when (e is FormatException or JsonException or ArgumentException or VerdictFormatException)
        {
            // What the other two say is meant for who writes programs.
            throw Bad(column, expected, e is ArgumentException or JsonException ? Found(column) : $"{Found(column)} ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>A part of a key, in words.</summary>
    public static string KeyOf(object? value) =>
        value is byte[] bytes ? Convert.ToHexString(bytes) : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    public LedgerException Bad(int column, string expected, string? found = null, Exception? inner = null)
    {
        SqliteDataReader row = reader;
        string key = string.Join(", ", Enumerable.Range(0, keys).Select(i => KeyOf(row.GetValue(i))));
        return LedgerException.OfRow(file, table, key, reader.GetName(column), expected, found ?? Found(column), inner);
    }

    private string Found(int column) => reader.GetValue(column) switch
    {
        DBNull => "nothing",
        byte[] bytes => $"{bytes.Length} bytes that are no text",
        string text => $"'{(text.Length <= MostTold ? text : $"{text[..MostTold]}…")}'",
        object value => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };
}
