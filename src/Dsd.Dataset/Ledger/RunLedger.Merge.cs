using Microsoft.Data.Sqlite;

namespace Dsd.Dataset.Ledger;

// What shards do apart is put together here: in any order, again and again, with the same result.
public sealed partial class RunLedger
{
    private const string IsDone =
        "(EXISTS (SELECT 1 FROM pairs WHERE id = $0) OR EXISTS (SELECT 1 FROM grids WHERE prompt_id = $0) OR EXISTS (SELECT 1 FROM captions WHERE key = $0 AND written = 1))";

    // What must agree where both ledgers have a row. Times and tokens may differ: a pair judged twice is kept as it was first written, and with the votes of then, so votes come before their pairs.
    private static readonly (string Table, string[] Told)[] Tables =
    [
        ("captions", ["caption"]), ("prompts", ["text", "seed"]), ("grids", ["sha256"]), ("panels", ["caption"]), ("votes", []), ("pairs", ["kept", "status"]), ("reviews", ["kept"]),
    ];

    /// <summary>Takes over what another ledger of the same run holds: all of it or nothing. Doing it again changes nothing.</summary>
    /// <exception cref="LedgerException">It is no ledger or another run's, or says something else of the same caption, prompt, sheet, panel, pair or review.</exception>
    /// <exception cref="IOException">There is no such file, or this ledger cannot be written.</exception>
    public async Task MergeAsync(string file)
    {
        // Whether it is a ledger is found before anything is begun.
        await OpenToRead(file).DisposeAsync().ConfigureAwait(false);
        await Write(w =>
        {
            try
            {
                using SqliteConnection other = Connect(file, SqliteOpenMode.ReadOnly);
                // One moment of it, also while a run writes there.
                using SqliteTransaction moment = other.BeginTransaction(deferred: true);
                MergeMeta(w, other, file);
                MergeFailures(w, other);
                foreach ((string table, string[] told) in Tables)
                {
                    MergeTable(w, other, file, table, told);
                }
                foreach (object?[] spent in RowsOf(other, "SELECT id, calls, tokens FROM spent"))
                {
                    // A session's count only grows, so the larger is the later.
                    w.Run("INSERT INTO spent VALUES ($0, $1, $2) ON CONFLICT DO UPDATE SET calls = max(calls, excluded.calls), tokens = max(tokens, excluded.tokens)", spent);
                }
            }
            catch (SqliteException e) when (e.SqliteErrorCode is 1 or 11 or 19 or 20 or 26)
            {
                // Damaged, or other columns or types than a ledger has: its fault, which must not close this one.
                throw new LedgerException(file, "a whole ledger", $"a damaged one ({e.Message})", e);
            }
        }).ConfigureAwait(false);
    }

    private void MergeMeta(LedgerWriter w, SqliteConnection other, string file)
    {
        foreach (object?[] row in RowsOf(other, "SELECT name, value FROM meta WHERE name <> 'version'"))
        {
            // What readers of the results need to know follows from the run, so it is the same where both have it.
            if (w.Run("INSERT INTO meta VALUES ($0, $1) ON CONFLICT DO UPDATE SET value = excluded.value WHERE value = excluded.value", row) == 0)
            {
                throw new LedgerException(file, $"the same '{row[0]}' as '{File}' has ({Meta((string)row[0]!)})", $"{row[1]}");
            }
        }
    }

    /// <summary>A piece of work is done, failed at a later step, failed, or not begun; the one that came further tells what stands here afterwards.</summary>
    private static void MergeFailures(LedgerWriter w, SqliteConnection other)
    {
        foreach (string id in w.Read("SELECT id FROM failures"))
        {
            if (RowsOf(other, $"SELECT 1 WHERE {IsDone} AND NOT EXISTS (SELECT 1 FROM failures WHERE id = $0)", id).Any())
            {
                w.Run("DELETE FROM failures WHERE id = $0", id);
            }
        }
        foreach (object?[] row in RowsOf(other, "SELECT id, stage, message FROM failures"))
        {
            w.Run(
                $"""
                INSERT INTO failures SELECT $0, $1, $2 WHERE NOT {IsDone} OR EXISTS (SELECT 1 FROM failures WHERE id = $0)
                ON CONFLICT DO UPDATE SET stage = excluded.stage, message = excluded.message WHERE (excluded.stage, excluded.message) > (stage, message)
                """,
                row);
        }
    }

    private void MergeTable(LedgerWriter w, SqliteConnection other, string file, string table, string[] told)
    {
        string same = told.Length == 0 ? "NOTHING" : $"UPDATE SET {told[0]} = excluded.{told[0]} WHERE {string.Join(" AND ", told.Select(c => $"{c} IS excluded.{c}"))}";
        string only = table == "votes" ? "NOT EXISTS (SELECT 1 FROM pairs WHERE id = $0)" : "true";
        foreach (object?[] row in RowsOf(other, $"SELECT * FROM {table}"))
        {
            string sql = $"INSERT INTO {table} SELECT {string.Join(", ", row.Select((_, i) => $"${i}"))} WHERE {only} ON CONFLICT DO {same}";
            if (w.Run(sql, row) == 0 && told.Length > 0)
            {
                throw new LedgerException(file, $"the same {table} as '{File}' has for '{row[0]}'", $"another: {string.Join(" or ", told)} differs");
            }
        }
    }

    private static IEnumerable<object?[]> RowsOf(SqliteConnection connection, string sql, string? id = null)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        if (id is not null)
        {
            command.Parameters.AddWithValue("$0", id);
        }
        using SqliteDataReader rows = command.ExecuteReader();
        while (rows.Read())
        {
            object?[] row = new object?[rows.FieldCount];
            rows.GetValues(row!);
            yield return row;
        }
    }
}
