using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Dsd.Architecture.Tests;

/// <summary>A page of docs/stages, and what it lacks.</summary>
internal static partial class StagePage
{
    private static readonly string[] Sections = ["## Example", "## Columns", "## Options", "## Good to know", "## See also"];

    // ML.NET's own words, as the pages of its transforms and trainers begin, and a row of ours.
    private static readonly string[] Rows =
    [
        "Input column data type", "Output column data type", "Does this estimator need to look at the data to train its parameters?", "Is it row to row?",
        "Is normalization required?", "Is caching helpful?", "Required NuGet in addition to Microsoft.ML", "Exportable to ONNX",
    ];

    /// <summary>The page of an estimator.</summary>
    public static string Of(Type estimator) => $"docs/stages/{Capital().Replace(estimator.Name, "-$0").TrimStart('-').ToLowerInvariant()}.md";

    /// <summary>What is wrong with an estimator's page, in words. Empty where it is whole.</summary>
    public static IReadOnlyList<string> Faults(string page, Type options)
    {
        string[] lines = page.ReplaceLineEndings("\n").Split('\n');
        string[] found = [.. lines.Where(line => line.StartsWith("## ", StringComparison.Ordinal))];
        if (!found.SequenceEqual(Sections))
        {
            return [$"Expected the sections {string.Join(", ", Sections)}, found {string.Join(", ", found)}."];
        }
        string[] opening = [.. lines.TakeWhile(line => line != Sections[0]).Where(line => line.StartsWith('|'))];
        string[] words = [.. opening.Skip(2).Select(row => Cells(row)[0])];
        return
        [
            .. words.SequenceEqual(Rows) ? Enumerable.Empty<string>() : [$"Expected the rows {string.Join(", ", Rows)}, found {string.Join(", ", words)}."],
            .. opening.Skip(2).Where(row => Cells(row) is not [_, { Length: > 0 }]).Select(row => $"Nothing is said in '{row}'."),
            .. Section(lines, "## Example").Contains("```csharp") ? Enumerable.Empty<string>() : ["There is no example in C#."],
            .. OptionFaults(Section(lines, "## Options"), options),
            .. ColumnFaults(Section(lines, "## Columns"), options),
        ];
    }

    /// <summary>What is wrong with the table of options that a section begins with, in words; what follows below a smaller heading is not looked at.</summary>
    public static IEnumerable<string> OptionFaults(IReadOnlyList<string> section, Type options)
    {
        Dictionary<string, string[]> rows = section.TakeWhile(line => !line.StartsWith("###", StringComparison.Ordinal))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(Cells).ToDictionary(cells => cells[0].Trim('`'));
        object defaults = Activator.CreateInstance(options)!;
        PropertyInfo[] settable = [.. options.GetProperties().Where(p => p.SetMethod is { IsPublic: true })];
        foreach (PropertyInfo property in settable)
        {
            if (!rows.TryGetValue(property.Name, out string[]? cells))
            {
                yield return $"Option {property.Name} of {options.Name} is not in the table.";
            }
            else if (cells is not [_, { Length: > 0 }, { Length: > 0 }])
            {
                yield return $"Option {property.Name} of {options.Name} lacks its default, or what it does.";
            }
            else if (Default(property, defaults) is { } expected && cells[1] != expected)
            {
                yield return $"Option {property.Name} of {options.Name}: the default is {expected}, but the page says {cells[1]}.";
            }
        }
        foreach (string name in rows.Keys.Except(settable.Select(p => p.Name)))
        {
            yield return $"{options.Name} has no option {name}.";
        }
    }

    /// <summary>The lines of a section, without its heading.</summary>
    public static IReadOnlyList<string> Section(IEnumerable<string> lines, string heading) =>
        [.. lines.SkipWhile(line => line != heading).Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))];

    /// <summary>The columns of ML.NET's views that options name by default have a row, each with its type.</summary>
    private static IEnumerable<string> ColumnFaults(IReadOnlyList<string> section, Type options)
    {
        object defaults = Activator.CreateInstance(options)!;
        string[][] rows = [.. section.Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(Cells)];
        foreach (PropertyInfo property in options.GetProperties().Where(p => p.Name.EndsWith("Column", StringComparison.Ordinal)))
        {
            if (property.GetValue(defaults) is string column && !rows.Any(cells => cells[0] == $"`{column}`" && cells.Skip(1).All(c => c.Length > 0)))
            {
                yield return $"Column {column} (option {property.Name}) is not in the table of columns.";
            }
        }
    }

    /// <summary>How a plain default is written; null where it is a record, a list or a token, which is described in words.</summary>
    private static string? Default(PropertyInfo property, object defaults) => property.IsDefined(typeof(RequiredMemberAttribute))
        ? "required"
        : property.GetValue(defaults) switch
        {
            null => "`null`",
            string text => $"`\"{text}\"`",
            bool flag => flag ? "`true`" : "`false`",
            Enum value => $"`{value.GetType().Name}.{value}`",
            IConvertible number => $"`{number.ToString(CultureInfo.InvariantCulture)}`",
            _ => null,
        };

    private static string[] Cells(string row) => [.. row.Trim().Trim('|').Split('|').Select(cell => cell.Trim())];

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();
}
