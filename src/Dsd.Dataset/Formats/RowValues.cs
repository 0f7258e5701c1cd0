namespace Dsd.Dataset.Formats;

/// <summary>The columns of one row that are no pictures, whatever file they stand in.</summary>
internal abstract class RowValues
{
    /// <summary>The names of its columns.</summary>
    public abstract IEnumerable<string> Names { get; }

    /// <summary>Whether it has a column, be that empty.</summary>
    public abstract bool Has(string name);

    /// <summary>A column that must be a text.</summary>
    /// <exception cref="DatasetException">There is no such column, or it holds something else.</exception>
    public string Text(string name, string place) => Has(name)
        ? (string?)Value(name, DetailKind.Text, $"{place}, column '{name}'") ?? throw new DatasetException($"{place}, column '{name}'", "a text", "null")
        : throw new DatasetException(place, $"a column '{name}'", $"only {Listed()}");

    /// <summary>The details; columns of other names are left alone.</summary>
    public PairDetails Details(IReadOnlyList<DetailColumn> columns, string place) => PairDetails.Of(name =>
        columns.FirstOrDefault(c => c.Name == name) is { } column && Has(name) ? Value(name, column.Kind, $"{place}, column '{name}'") : null);

    /// <summary>The columns of <see cref="DetailColumn.All"/> that it has.</summary>
    public IReadOnlyList<DetailColumn> Columns() => [.. DetailColumn.All.Where(c => Has(c.Name))];

    /// <summary>The value of a column that is there, in the type that <see cref="DetailColumn.Get"/> gives for the kind; null where it is empty.</summary>
    /// <exception cref="DatasetException">It holds something else.</exception>
    protected abstract object? Value(string name, DetailKind kind, string place);

    /// <summary>What is thrown where a column holds something else.</summary>
    protected static DatasetException Wrong(string place, DetailKind kind, string found) =>
        new(place, $"a value of kind {kind}", $"{found}. {PairDatasetOptions.HowToLeaveOut}");

    /// <summary>A whole number, which programs that know fractions alone write as 3.0; null where it is none.</summary>
    protected static int? Whole(double number) => number == Math.Floor(number) && number is >= int.MinValue and <= int.MaxValue ? (int)number : null;

    private string Listed()
    {
        string names = string.Join(", ", Names.Take(20).Select(n => $"'{n}'"));
        return names.Length <= 400 ? names : $"{names[..400]}…";
    }
}
