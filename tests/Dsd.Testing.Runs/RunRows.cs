using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace Dsd.Testing.Runs;

/// <summary>All that stands in a run's folder as lines that can be compared: every table row by row, and every grid's file.</summary>
public static class RunRows
{
    private static readonly string[] Tables =
        ["meta", "captions", "prompts", "grids", "panels", "pairs", "votes", "failures", "reviews", "spent", "axes", "scores"];

    public static IReadOnlyList<string> Of(string folder) => [.. Rows(Path.Combine(folder, "ledger.db")), .. Files(folder)];

    public static IReadOnlyList<string> Rows(string ledger)
    {
        using SqliteConnection connection =
            new(new SqliteConnectionStringBuilder { DataSource = ledger, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        connection.Open();
        List<string> lines = [];
        foreach (string table in Tables)
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = $"SELECT * FROM {table} ORDER BY 1, 2";
            using SqliteDataReader rows = command.ExecuteReader();
            while (rows.Read())
            {
                IEnumerable<string?> values = Enumerable.Range(0, rows.FieldCount)
                    .Select(i => Convert.ToString(rows.GetValue(i), CultureInfo.InvariantCulture));
                lines.Add($"{table}: {string.Join(" | ", values)}");
            }
        }
        return lines;
    }

    private static IEnumerable<string> Files(string folder) =>
        Directory.Exists(Path.Combine(folder, "grids"))
            ? Directory.EnumerateFiles(Path.Combine(folder, "grids"), "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(f => $"{Path.GetRelativePath(folder, f)}: {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f)))}")
            : [];
}
