namespace Dsd.Dataset.Formats;

/// <summary>
/// The structures of a Parquet file's footer and page headers (<c>parquet.thrift</c> of Apache Parquet 2.12): which fields they have, and
/// of which types.
/// </summary>
internal static class ParquetShapes
{
    // A line for each structure: its fields' numbers and types. '[]' is a list; a line that ends in '\' goes on in the next.
    private const string Text = """
        FileMetaData: 1 i32, 2 []SchemaElement, 3 i64, 4 []RowGroup, 5 []KeyValue, 6 binary, 7 []ColumnOrder, 8 EncryptionAlgorithm, 9 binary
        SchemaElement: 1 i32, 2 i32, 3 i32, 4 binary, 5 i32, 6 i32, 7 i32, 8 i32, 9 i32, 10 LogicalType
        LogicalType: 1 Empty, 2 Empty, 3 Empty, 4 Empty, 5 Decimal, 6 Empty, 7 Time, 8 Time, 10 Integer, 11 Empty, 12 Empty, 13 Empty, 14 Empty,\
          15 Empty, 16 Variant, 17 Geometry, 18 Geography
        Decimal: 1 i32, 2 i32
        Time: 1 bool, 2 TimeUnit
        TimeUnit: 1 Empty, 2 Empty, 3 Empty
        Integer: 1 i8, 2 bool
        Variant: 1 i8
        Geometry: 1 binary
        Geography: 1 binary, 2 i32
        RowGroup: 1 []ColumnChunk, 2 i64, 3 i64, 4 []SortingColumn, 5 i64, 6 i64, 7 i16
        SortingColumn: 1 i32, 2 bool, 3 bool
        ColumnChunk: 1 binary, 2 i64, 3 ColumnMetaData, 4 i64, 5 i32, 6 i64, 7 i32, 8 ColumnCrypto, 9 binary
        ColumnMetaData: 1 i32, 2 []i32, 3 []binary, 4 i32, 5 i64, 6 i64, 7 i64, 8 []KeyValue, 9 i64, 10 i64, 11 i64, 12 Statistics,\
          13 []PageEncodingStats, 14 i64, 15 i32, 16 SizeStatistics, 17 GeospatialStatistics
        Statistics: 1 binary, 2 binary, 3 i64, 4 i64, 5 binary, 6 binary, 7 bool, 8 bool
        PageEncodingStats: 1 i32, 2 i32, 3 i32
        SizeStatistics: 1 i64, 2 []i64, 3 []i64
        GeospatialStatistics: 1 BoundingBox, 2 []i32
        BoundingBox: 1 double, 2 double, 3 double, 4 double, 5 double, 6 double, 7 double, 8 double
        KeyValue: 1 binary, 2 binary
        ColumnOrder: 1 Empty
        ColumnCrypto: 1 Empty, 2 ColumnKey
        ColumnKey: 1 []binary, 2 binary
        EncryptionAlgorithm: 1 Aes, 2 Aes
        Aes: 1 binary, 2 binary, 3 bool
        PageHeader: 1 i32, 2 i32, 3 i32, 4 i32, 5 DataPage, 6 Empty, 7 DictionaryPage, 8 DataPage2
        DataPage: 1 i32, 2 i32, 3 i32, 4 i32, 5 Statistics
        DictionaryPage: 1 i32, 2 i32, 3 bool
        DataPage2: 1 i32, 2 i32, 3 i32, 4 i32, 5 i32, 6 i32, 7 bool, 8 Statistics
        Empty:
        """;

    private static readonly Dictionary<string, Dictionary<int, string>> All = Text.Replace("\r", "", StringComparison.Ordinal)
        .Replace("\\\n", "", StringComparison.Ordinal)
        .Split('\n')
        .Select(line => line.Trim().Split(':'))
        .ToDictionary(parts => parts[0], parts => Fields(parts[1]));

    /// <summary>The types of a structure's fields by their numbers; null where there is no structure of that name, but a plain type.</summary>
    public static IReadOnlyDictionary<int, string>? Of(string name) => All.GetValueOrDefault(name);

    private static Dictionary<int, string> Fields(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(field => field.Split(' '))
            .ToDictionary(field => int.Parse(field[0], System.Globalization.CultureInfo.InvariantCulture), field => field[1]);
}
