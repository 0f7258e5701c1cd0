using System.Globalization;

namespace Dsd.Dataset.Formats;

/// <summary>The cells of a CSV file's record as columns.</summary>
/// <param name="names">The names in the first record.</param>
/// <param name="cells">The record's own cells. Those that are missing at its end are empty, as pandas takes them.</param>
internal sealed class CsvValues(List<string> names, string[] cells) : RowValues
{
    // What pandas' read_csv takes for no value by default, as 'datasets' calls it.
    private static readonly HashSet<string> Empty =
    [
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    ];

    public override IEnumerable<string> Names => names;

    public override bool Has(string name) => names.Contains(name);

    protected override object? Value(string name, DetailKind kind, string place)
    {
        int column = names.IndexOf(name);
        string cell = column < cells.Length ? cells[column] : "";
        if (Empty.Contains(cell))
        {
            return null;
        }
        bool isNumber = double.TryParse(
            cell,
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture,
            out double number) && double.IsFinite(number);
        return kind switch
        {
            DetailKind.Text => cell,
            DetailKind.Flag when cell is "True" or "TRUE" or "true" => true,
            DetailKind.Flag when cell is "False" or "FALSE" or "false" => false,
            DetailKind.Number when isNumber => number,
            DetailKind.Count when isNumber && Whole(number) is { } count => count,
            _ => throw Wrong(place, kind, $"'{(cell.Length <= 60 ? cell : $"{cell[..60]}…")}'"),
        };
    }
}
