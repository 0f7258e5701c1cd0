using System.Globalization;
using Dsd.Dataset.Runs;
using Microsoft.Data.Sqlite;

namespace Dsd.Dataset.Tests;

/// <summary>All rows of a run's ledger as text, in the order of their keys, without times and what depends on them.</summary>
internal static class LedgerRows
{
    private static readonly string[] Queries =
    [
        "SELECT * FROM captions ORDER BY key",
        "SELECT * FROM prompts ORDER BY id",
        "SELECT * FROM grids ORDER BY prompt_id",
        "SELECT * FROM panels ORDER BY prompt_id, panel",
        "SELECT * FROM pairs ORDER BY id",
        "SELECT pair_id, ordinal, judge, model, kept, verdict, reason, attempts, input_tokens, output_tokens FROM votes ORDER BY pair_id, ordinal",
        "SELECT * FROM failures ORDER BY id",
        "SELECT pair_id, kept FROM reviews ORDER BY pair_id",
        "SELECT * FROM meta ORDER BY name",
    ];

    public static IReadOnlyList<string> Of(string folder)
    {
        using SqliteConnection connection = new($"Data Source={RunFolder.LedgerFile(folder)};Mode=ReadOnly;Pooling=False");
        connection.Open();
        List<string> rows = [];
        foreach (string query in Queries)
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = query;
            using SqliteDataReader reader = command.ExecuteReader();
            while (reader.Read())
            {
                rows.Add($"{query.Split(" FROM ")[1]}: {string.Join(" | ", Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)))}");
            }
        }
        return rows;
    }
}
