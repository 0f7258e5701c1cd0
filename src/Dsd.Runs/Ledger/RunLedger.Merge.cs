using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Ledger;

// What shards do apart is put together here: in any order, again and again, with the same result.
public sealed partial class RunLedger
{
    private const string IsDone =
        "(EXISTS (SELECT 1 FROM pairs WHERE id = $0) OR EXISTS (SELECT 1 FROM grids WHERE prompt_id = $0) OR EXISTS "
        + "(SELECT 1 FROM captions WHERE key = $0 AND written = 1))";

    // What must agree where both ledgers have a row. Times and tokens may differ: a pair judged twice is kept as it was first written, and
    // with the votes of then, so votes come before their pairs.
    private static readonly (string Table, string[] Compared)[] Tables =
    [
        ("captions", ["caption"]), ("prompts", ["text", "seed"]), ("grids", ["sha256"]), ("panels", ["caption"]),
        ("votes", []), ("pairs", ["kept", "status"]), ("reviews", ["kept"]), ("axes", []), ("scores", []),
    ];

    /// <summary>
    /// Takes over what another ledger of the same run holds: all of it or nothing. Doing it again changes nothing. Rows that cannot be read
    /// are left out with what hangs on them: a caption with all of its prompts and pairs, a pair with its votes. The next run does these
    /// anew.
    /// </summary>
    /// <returns>The rows that cannot be read.</returns>
    /// <exception cref="LedgerException">
    /// It is no ledger or another run's, or says something else of the same caption, prompt, grid, panel, pair or review.
    /// </exception>
    /// <exception cref="IOException">There is no such file, or this ledger cannot be written.</exception>
    public async Task<LedgerFaults> MergeAsync(string file)
    {
        LeftOut left = new();
        // Whether it is a ledger is found before anything is begun.
        await OpenToRead(file).DisposeAsync().ConfigureAwait(false);
        await Write(w =>
        {
            try
            {
                using SqliteConnection other = LedgerFile.Connect(file, SqliteOpenMode.ReadOnly);
                // One moment of it, also while a run writes there.
                using SqliteTransaction moment = other.BeginTransaction(deferred: true);
                left = LeftOut.Of(FaultsOf(other, file));
                MergeMeta(w, other, file);
                MergeFailures(w, other, left);
                int version = LedgerFile.VersionOf(other) ?? 1;
                foreach ((string table, string[] compared) in Tables.Where(t => TableOf(t.Table).Since <= version))
                {
                    MergeTable(w, other, file, table, compared, left);
                }
                foreach (object?[] spent in RowsOf(other, "SELECT id, calls, tokens FROM spent").Where(r => !left.Holds("spent", r)))
                {
                    // A session's count only grows, so the larger is the later.
                    w.Run(
                        "INSERT INTO spent VALUES ($0, $1, $2) ON CONFLICT DO UPDATE SET "
                        + "calls = max(calls, excluded.calls), tokens = max(tokens, excluded.tokens)",
                        spent);
                }
            }
            catch (SqliteException e) when (e.SqliteErrorCode is 1 or 11 or 19 or 20 or 26)
            {
                // Damaged, or other columns or types than a ledger has: its fault, which must not close this one.
                throw new LedgerException(file, "a whole ledger", $"a damaged one ({e.Message})", e);
            }
        }).ConfigureAwait(false);
        return left.Faults;
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
    private static void MergeFailures(LedgerWriter w, SqliteConnection other, LeftOut left)
    {
        foreach (string id in w.Read("SELECT id FROM failures"))
        {
            if (RowsOf(other, $"SELECT 1 WHERE {IsDone} AND NOT EXISTS (SELECT 1 FROM failures WHERE id = $0)", id).Any())
            {
                w.Run("DELETE FROM failures WHERE id = $0", id);
            }
        }
        foreach (object?[] row in RowsOf(other, "SELECT id, stage, message FROM failures").Where(r => !left.Holds("failures", r)))
        {
            w.Run(
                $"""
                INSERT INTO failures SELECT $0, $1, $2 WHERE NOT {IsDone} OR EXISTS (SELECT 1 FROM failures WHERE id = $0)
                ON CONFLICT DO UPDATE SET stage = excluded.stage, message = excluded.message WHERE (excluded.stage, excluded.message) > (stage, message)
                """,
                row);
        }
    }

    private void MergeTable(LedgerWriter w, SqliteConnection other, string file, string table, string[] compared, LeftOut left)
    {
        string same = compared.Length == 0
            ? "NOTHING"
            : $"UPDATE SET {compared[0]} = excluded.{compared[0]} WHERE {string.Join(" AND ", compared.Select(c => $"{c} IS excluded.{c}"))}";
        string only = table == "votes" ? "NOT EXISTS (SELECT 1 FROM pairs WHERE id = $0)" : "true";
        foreach (object?[] row in RowsOf(other, $"SELECT * FROM {table}").Where(r => !left.Holds(table, r)))
        {
            string sql = $"INSERT INTO {table} SELECT {string.Join(", ", row.Select((_, i) => $"${i}"))} WHERE {only} ON CONFLICT DO {same}";
            if (w.Run(sql, row) == 0 && compared.Length > 0)
            {
                throw new LedgerException(file, $"the same {table} as '{File}' has for '{row[0]}'", $"another: {string.Join(" or ", compared)} differs");
            }
        }
    }

    private static LedgerTable TableOf(string name) => LedgerTable.All.First(t => t.Name == name);

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

    /// <summary>What is not taken over: rows that cannot be read, and those that mean nothing without them.</summary>
    private sealed class LeftOut
    {
        private const int MostTold = 5;
        private readonly HashSet<(string Table, string Row)> _rows = [];
        private readonly HashSet<string> _captions = [];
        private readonly HashSet<string> _pairs = [];
        private readonly List<string> _first = [];

        public LedgerFaults Faults => new(_rows.Count, _first);

        /// <exception cref="LedgerException">A note of the whole ledger cannot be read: nothing can be made of it then.</exception>
        public static LeftOut Of(IEnumerable<LedgerException> faults)
        {
            LeftOut left = new();
            foreach (LedgerException fault in faults)
            {
                (string table, string row) = (fault.Table!, fault.Row!);
                if (table == LedgerTable.Meta.Name)
                {
                    throw fault;
                }
                if (left._rows.Add((table, row)) && left._first.Count < MostTold)
                {
                    left._first.Add(fault.Message);
                }
                if (table == LedgerTable.Captions.Name || table == LedgerTable.Prompts.Name)
                {
                    left._captions.Add(CaptionOf(row));
                }
                else if (table == LedgerTable.Pairs.Name || table == LedgerTable.Votes.Name)
                {
                    left._pairs.Add(table == LedgerTable.Votes.Name ? row[..row.LastIndexOf(", ", StringComparison.Ordinal)] : row);
                }
            }
            return left;
        }

        public bool Holds(string table, object?[] row)
        {
            if (_rows.Count == 0)
            {
                return false;
            }
            string first = LedgerRow.KeyOf(row[0]);
            bool hangs = table is "pairs" or "votes" or "reviews" or "axes"
                ? _pairs.Contains(first) || _captions.Contains(CaptionOf(first))
                : table is not ("failures" or "spent" or "scores") && _captions.Contains(CaptionOf(first));
            return hangs || _rows.Contains((table, string.Join(", ", row.Take(TableOf(table).Keys).Select(LedgerRow.KeyOf))));
        }

        // Ids begin with the caption's key: KEY~0~0-1.
        private static string CaptionOf(string id) => id.Split('~')[0];
    }
}
