namespace Dsd.Dataset.Formats;

/// <summary>A row of a Parquet file as columns.</summary>
/// <param name="names">All columns that the file has.</param>
/// <param name="columns">Those that were read, in the types of the kind that they were read as.</param>
/// <param name="row">The row within them.</param>
internal sealed class ParquetValues(string[] names, IReadOnlyDictionary<string, Array> columns, int row) : RowValues
{
    public override IEnumerable<string> Names => names;

    public override bool Has(string name) => columns.ContainsKey(name);

    protected override object? Value(string name, DetailKind kind, string place) => columns[name].GetValue(row);
}
