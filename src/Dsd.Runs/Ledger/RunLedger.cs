using System.Globalization;
using System.Text.Json;
using Dsd.Curation.Judging;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Ledger;

/// <summary>
/// What was done for a dataset: every caption, prompt, grid, judgement with its reasons, and what it cost, in one SQLite file. What a
/// write's task has completed is on disk, and survives the end of the process at any moment; after a power failure the last moments may be
/// missing, and the file is whole.
/// </summary>
/// <remarks>
/// Safe to share between threads. Others may read meanwhile. A run has the file to itself (<see cref="Runs.RunFolder"/> holds a lock); only
/// reviews are written beside it, a row at a time: each writer waits up to 30 seconds for the other's transaction.
/// </remarks>
public sealed partial class RunLedger : IAsyncDisposable
{
    private readonly SqliteConnection _read;
    private readonly SqliteConnection? _write;
    private readonly LedgerWriter? _writer;
    private readonly FilePlace _place;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SqliteCommand> _commands = [];
    private readonly HashSet<string> _has = [];

    private RunLedger(string file, SqliteConnection read, SqliteConnection? write)
    {
        (File, _read, _write, _place) = (file, read, write, new FilePlace("ledger", file));
        _writer = write is null ? null : new LedgerWriter(write, file, _place);
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>Statements that were written since it was opened.</summary>
    public long Written => _writer?.Written ?? 0;

    /// <summary>Opens a ledger for reading and writing, and makes it where there is none.</summary>
    /// <remarks>A ledger that does not say yet what it is (SQLite's <c>application_id</c>) is known by its tables, and stamped.</remarks>
    /// <exception cref="LedgerException">The file is no ledger, or one of another version; it stays as it is.</exception>
    /// <exception cref="IOException">The folder cannot be made, or the file not opened.</exception>
    public static RunLedger Open(string file) => Open(file, SqliteOpenMode.ReadWriteCreate);

    /// <summary>Opens a ledger for reading.</summary>
    /// <exception cref="LedgerException">The file is no ledger, or one of another version.</exception>
    /// <exception cref="IOException">There is no such file.</exception>
    public static RunLedger OpenToRead(string file) => Open(Standing(file), SqliteOpenMode.ReadOnly);

    /// <summary>Opens a ledger that is there for reading and writing.</summary>
    /// <exception cref="LedgerException">The file is no ledger, or one of another version; it stays as it is.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be opened.</exception>
    public static RunLedger OpenStanding(string file) => Open(Standing(file), SqliteOpenMode.ReadWrite);

    /// <summary>Makes sure that the ledger at its path is the one that is open, so that what was written is where it will be looked for.</summary>
    /// <exception cref="IOException">It was deleted, moved or replaced.</exception>
    public void CheckPlace() => _place.Check();

    /// <summary>A value that belongs to the whole ledger; null where there is none.</summary>
    /// <exception cref="LedgerException">It cannot be read.</exception>
    public string? Meta(string name) => Read(LedgerTable.Meta, "WHERE name = $0", name).FirstOrDefault().Value;

    /// <summary>Whether a caption's prompts stand in the ledger.</summary>
    /// <exception cref="LedgerException">Another caption has this key, or the row cannot be read.</exception>
    public bool IsWritten(SeedCaption caption)
    {
        ArgumentNullException.ThrowIfNull(caption);
        (SeedCaption? known, bool written) = Read(LedgerTable.Captions, "WHERE key = $0", caption.Key).FirstOrDefault();
        return known is null || known.Caption == caption.Caption
            ? written
            : throw new LedgerException(File, $"the caption '{known.Caption}' of key '{caption.Key}'", $"'{caption.Caption}'");
    }

    /// <summary>The grids to be drawn for a caption, in order.</summary>
    /// <exception cref="LedgerException">A row cannot be read.</exception>
    public IReadOnlyList<LedgerPrompt> PromptsOf(string captionKey) => Read(LedgerTable.Prompts, "WHERE caption_key = $0 ORDER BY ordinal", captionKey);

    /// <summary>The grid that was drawn for a prompt; null where none was.</summary>
    /// <exception cref="LedgerException">The row cannot be read.</exception>
    public LedgerGrid? GridOf(string promptId) => Read(LedgerTable.Grids, "WHERE prompt_id = $0", promptId).FirstOrDefault();

    /// <summary>A prompt by its id.</summary>
    /// <exception cref="LedgerException">There is none, or the row cannot be read.</exception>
    public LedgerPrompt PromptOf(string promptId) =>
        Read(LedgerTable.Prompts, "WHERE id = $0", promptId).FirstOrDefault() ?? throw LedgerException.OfMissing(File, LedgerTable.Prompts.Name, promptId);

    /// <summary>The panels of a grid that are judged already, as pairs.</summary>
    /// <exception cref="LedgerException">A row cannot be read.</exception>
    public IReadOnlySet<(int First, int Second)> JudgedOf(string promptId) =>
        Read(LedgerTable.Pairs, "WHERE prompt_id = $0", promptId).Select(p => (p.First, p.Second)).ToHashSet();

    /// <summary>Captions that panels were given in place of the text that the grid was drawn from, by panel.</summary>
    /// <exception cref="LedgerException">A row cannot be read.</exception>
    public IReadOnlyDictionary<int, string> PanelCaptionsOf(string promptId) =>
        Read(LedgerTable.Panels, "WHERE prompt_id = $0", promptId).ToDictionary(p => p.Panel, p => p.Caption);

    /// <summary>The votes on a pair, in the order of asking.</summary>
    /// <exception cref="LedgerException">A row cannot be read.</exception>
    public IReadOnlyList<JudgeVote> VotesOf(string pairId) => [.. Read(LedgerTable.Votes, "WHERE pair_id = $0 ORDER BY ordinal", pairId).Select(v => v.Vote)];

    /// <summary>
    /// All judged pairs by id, without their votes, a page in memory at a time: a ledger of any length can be gone through, and written
    /// meanwhile.
    /// </summary>
    /// <param name="keptOnly">Only those that go into datasets.</param>
    /// <param name="unreadable">Is called for each row that cannot be read, and reading goes on; null throws.</param>
    /// <exception cref="LedgerException">A row cannot be read.</exception>
    public IEnumerable<LedgerPair> Pairs(bool keptOnly = false, Action<LedgerException>? unreadable = null)
    {
        const int Page = 1000;
        byte[] after = [];
        while (true)
        {
            // By the bytes of the id, which may be no text that can be read. An id that is not even of the type comes in the end.
            List<(byte[] Id, LedgerPair? Pair, LedgerException? Fault)> page = Read(
                $"{PairQuery} WHERE p.id > CAST($0 AS TEXT) AND typeof(p.id) = 'text' ORDER BY p.id LIMIT {Page}", r =>
                    RowOrFault(r, r.GetFieldValue<byte[]>(0)), after);
            if (page.Count < Page)
            {
                page.AddRange(Read($"{PairQuery} WHERE typeof(p.id) <> 'text'", r => RowOrFault(r, [])));
            }
            foreach ((_, LedgerPair? pair, LedgerException? fault) in page)
            {
                if (fault is not null)
                {
                    (unreadable ?? throw fault)(fault);
                }
                else if (pair!.Kept || !keptOnly)
                {
                    yield return pair;
                }
            }
            if (page.Count < Page)
            {
                yield break;
            }
            after = page[Page - 1].Id;
        }

        (byte[], LedgerPair?, LedgerException?) RowOrFault(SqliteDataReader row, byte[] id)
        {
            try
            {
                return (id, Pair(row), null);
            }
            catch (LedgerException e)
            {
                return (id, null, e);
            }
        }
    }

    /// <summary>A pair with its votes and its scores by axes.</summary>
    /// <exception cref="LedgerException">There is none of this id, or a row cannot be read.</exception>
    public LedgerPair PairOf(string pairId)
    {
        LedgerPair pair = Read($"{PairQuery} WHERE p.id = $0", Pair, pairId)
            .FirstOrDefault() ?? throw LedgerException.OfMissing(File, LedgerTable.Pairs.Name, pairId);
        IReadOnlyList<JudgeVote> votes = VotesOf(pairId);
        Verdict? verdict = votes.LastOrDefault(v => v.Kept == pair.Judgement.Kept && v.Verdict is not null)?.Verdict;
        return pair with { Judgement = pair.Judgement with { Votes = votes, Verdict = verdict }, Axes = AxesOf(pairId) };
    }

    /// <summary>A pair with its votes and its scores by axes, for reports on many; null where a row of it cannot be read or is gone.</summary>
    /// <exception cref="LedgerException">The ledger as a whole cannot be read.</exception>
    public LedgerPair? ReadablePairOf(string pairId)
    {
        try
        {
            return PairOf(pairId);
        }
        catch (LedgerException e) when (e.ConcernsOneRow)
        {
            return null;
        }
    }

    /// <summary>What failed and is left for the next run: what it was, where, and why.</summary>
    public IReadOnlyList<(string Id, string Stage, string Message)> Failures(int most = 100) =>
        // A note that cannot be read is counted among the other unreadable rows.
        Read(LedgerTable.Failures, "WHERE typeof(id) = 'text' AND typeof(stage) = 'text' AND typeof(message) = 'text' ORDER BY id LIMIT $0", most);

    /// <summary>What stands in the ledger.</summary>
    public LedgerCounts Counts() => Read(
        """
        SELECT (SELECT count(*) FROM captions WHERE written = 1), (SELECT count(*) FROM prompts), (SELECT count(*) FROM grids), (SELECT count(*) FROM pairs),
          (SELECT count(*) FROM pairs p LEFT JOIN reviews r ON r.pair_id = p.id WHERE coalesce(r.kept, p.kept) = 1),
          (SELECT count(*) FROM pairs WHERE status = 'Undecided'),
          (SELECT count(*) FROM reviews), (SELECT count(*) FROM failures),
          (SELECT count(*) FROM pairs WHERE status = 'TooDifferent'), (SELECT count(*) FROM pairs WHERE status = 'NearCopy')
        """,
        r => new LedgerCounts(
            r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4), r.GetInt64(5), r.GetInt64(6), r.GetInt64(7), r.GetInt64(8),
            r.GetInt64(9)))[0];

    /// <summary>What judging and scoring pairs took, by judge and model.</summary>
    public IReadOnlyList<LedgerUsage> Usage() => Read(
        $"""
        SELECT judge, model, count(*), sum(attempts), sum(input_tokens), sum(output_tokens) FROM
          (SELECT judge, model, attempts, input_tokens, output_tokens FROM votes
          {(Has(LedgerTable.Axes) ? "UNION ALL SELECT judge, model, attempts, input_tokens, output_tokens FROM axes" : "")})
        WHERE typeof(judge) = 'text' AND typeof(model) IN ('text', 'null')
          AND {IsCount("attempts")} AND {IsCount("input_tokens")} AND {IsCount("output_tokens")}
        GROUP BY judge, model ORDER BY judge, model
        """,
        r => new LedgerUsage(r.GetString(0), r.IsDBNull(1) ? null : r.GetString(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4), r.GetInt64(5)));

    /// <summary>Calls and tokens that all sessions of the run have counted against its budget.</summary>
    /// <exception cref="LedgerException">A row cannot be read: without it the budget cannot be kept.</exception>
    public (long Calls, long Tokens) Spent()
    {
        List<(string Session, long Calls, long Tokens)> all = Read(LedgerTable.Spent, "");
        return (all.Sum(s => s.Calls), all.Sum(s => s.Tokens));
    }

    /// <summary>Sets a value that belongs to the whole ledger.</summary>
    public Task WriteMetaAsync(string name, string value) =>
        Write(w => w.Run("INSERT INTO meta VALUES ($0, $1) ON CONFLICT DO UPDATE SET value = excluded.value", name, value));

    /// <summary>Writes a caption with all of its prompts, once: written again they must be the same.</summary>
    /// <exception cref="LedgerException">Another caption has this key, or other prompts were written for it.</exception>
    public Task WritePromptsAsync(SeedCaption caption, IReadOnlyList<LedgerPrompt> prompts)
    {
        ArgumentNullException.ThrowIfNull(caption);
        ArgumentNullException.ThrowIfNull(prompts);
        return Write(w =>
        {
            Same(
                w.Run(
                    "INSERT INTO captions VALUES ($0, $1, 1) ON CONFLICT DO UPDATE SET written = 1 WHERE caption = excluded.caption",
                    caption.Key,
                    caption.Caption),
                $"the caption of key '{caption.Key}'");
            foreach (LedgerPrompt p in prompts)
            {
                int rows = w.Run(
                    "INSERT INTO prompts VALUES ($0, $1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO UPDATE SET "
                    + "seed = excluded.seed WHERE text = excluded.text AND seed = excluded.seed",
                    p.Id,
                    p.CaptionKey,
                    p.Ordinal,
                    p.Prompt.Text,
                    p.Prompt.Subject,
                    p.Prompt.Layout.ToString(),
                    JsonSerializer.Serialize(p.Prompt.Captions),
                    p.Seed);
                Same(rows, $"prompt '{p.Id}'");
            }
            w.Run("DELETE FROM failures WHERE id = $0", caption.Key);
        });
    }

    /// <summary>Writes that a grid was drawn, once: a second one for the same prompt is left out, unless the first one's file is gone or damaged.</summary>
    /// <param name="grid">The grid.</param>
    /// <param name="replace">Whether the first one is of no use any more.</param>
    public Task WriteGridAsync(LedgerGrid grid, bool replace = false)
    {
        ArgumentNullException.ThrowIfNull(grid);
        string conflict = replace
            ? "UPDATE SET file = excluded.file, width = excluded.width, height = excluded.height, sha256 = excluded.sha256, drawer = excluded.drawer"
            : "NOTHING";
        return Write(w =>
        {
            w.Run(
                $"INSERT INTO grids VALUES ($0, $1, $2, $3, $4, $5) ON CONFLICT DO {conflict}",
                grid.PromptId,
                grid.File,
                grid.Width,
                grid.Height,
                grid.Sha256,
                grid.Teacher);
            w.Run("DELETE FROM failures WHERE id = $0", grid.PromptId);
        });
    }

    /// <summary>Writes a panel's own caption, once.</summary>
    public Task WritePanelCaptionAsync(string promptId, int panel, string caption) =>
        Write(w => w.Run("INSERT INTO panels VALUES ($0, $1, $2) ON CONFLICT DO NOTHING", promptId, panel, caption));

    /// <summary>Writes a judgement with all its votes, once: a second one on the same pair is left out.</summary>
    public Task WritePairAsync(LedgerPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        PairJudgement j = pair.Judgement;
        return Write(w =>
        {
            int rows = w.Run(
                "INSERT INTO pairs VALUES ($0, $1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                pair.Id, pair.PromptId, pair.First, pair.Second, j.Status.ToString(), j.Kept, double.IsNaN(j.Confidence) ? null : j.Confidence, j.Reason);
            w.Run("DELETE FROM failures WHERE id = $0", pair.Id);
            if (rows > 0)
            {
                // Of a pair whose row somebody has deleted, so that it is judged anew.
                w.Run("DELETE FROM votes WHERE pair_id = $0", pair.Id);
                w.Run("DELETE FROM axes WHERE pair_id = $0", pair.Id);
                if (pair.Axes is { } axes)
                {
                    WriteAxes(w, pair.Id, axes);
                }
            }
            for (int i = 0; i < j.Votes.Count && rows > 0; i++)
            {
                JudgeVote v = j.Votes[i];
                w.Run(
                    "INSERT INTO votes VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    pair.Id, i, v.Judge, v.Model, v.Kept, v.Verdict?.ToJson(), v.Reason, v.Attempts, v.InputTokens, v.OutputTokens, v.Duration.TotalSeconds);
            }
        });
    }

    /// <summary>Writes that a piece of work failed; it goes when the work is done after all.</summary>
    public Task WriteFailureAsync(string id, string stage, string message) =>
        Write(w => w.Run(
            "INSERT INTO failures VALUES ($0, $1, $2) ON CONFLICT DO UPDATE SET stage = excluded.stage, message = excluded.message",
            id,
            stage,
            message));

    /// <summary>Writes a person's verdict on a pair; null takes it back.</summary>
    /// <exception cref="LedgerException">There is no such pair.</exception>
    public Task WriteReviewAsync(string pairId, bool? kept, DateTimeOffset at)
    {
        _ = PairOf(pairId);
        return Write(w =>
        {
            if (kept is { } value)
            {
                w.Run(
                    "INSERT INTO reviews VALUES ($0, $1, $2) ON CONFLICT DO UPDATE SET kept = excluded.kept, at = excluded.at",
                    pairId,
                    value,
                    at.ToString("O", CultureInfo.InvariantCulture));
            }
            else
            {
                w.Run("DELETE FROM reviews WHERE pair_id = $0", pairId);
            }
        });
    }

    /// <summary>
    /// Notes what a session has spent so far. What it has spent only grows, so of two notes the larger is the later, in whatever order they
    /// come.
    /// </summary>
    public Task WriteSpentAsync(string session, long calls, long tokens) => Write(w => w.Run(
        "INSERT INTO spent VALUES ($0, $1, $2) ON CONFLICT DO UPDATE SET "
        + "calls = max(calls, excluded.calls), tokens = max(tokens, excluded.tokens)",
        session,
        calls,
        tokens));

    /// <summary>Closes the file when all that was begun is written.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_writer is not null)
        {
            await _writer.DisposeAsync().ConfigureAwait(false);
        }
        lock (_gate)
        {
            foreach (SqliteCommand command in _commands.Values)
            {
                command.Dispose();
            }
        }
        _read.Dispose();
        _write?.Dispose();
    }

    // A ledger of an older version that is open to read lacks tables, until a writer brings it up to date.
    private bool Has(LedgerTable table)
    {
        lock (_gate)
        {
            if (!_has.Contains(table.Name) && Read("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $0", _ => true, table.Name).Count > 0)
            {
                _has.Add(table.Name);
            }
            return _has.Contains(table.Name);
        }
    }

    private static RunLedger Open(string file, SqliteOpenMode mode)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        string path = Path.GetFullPath(file);
        SqliteConnection? writing = null;
        SqliteConnection? reading = null;
        try
        {
            if (mode == SqliteOpenMode.ReadWriteCreate)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            }
            if (mode != SqliteOpenMode.ReadOnly)
            {
                writing = LedgerFile.ConnectToWrite(path, mode);
            }
            reading = LedgerFile.Connect(path, SqliteOpenMode.ReadOnly);
            LedgerFile.Require(reading, path);
            AddFunctions(reading);
            return new RunLedger(path, reading, writing);
        }
        catch (Exception e)
        {
            reading?.Dispose();
            writing?.Dispose();
            throw e switch
            {
                SqliteException fault => LedgerFile.Fault(path, fault),
                UnauthorizedAccessException =>
                    new IOException($"The ledger '{path}' cannot be opened: {e.Message.TrimEnd('.')}. Change its permissions, or take another folder.", e),
                _ => e,
            };
        }
    }

    private static string Standing(string file) =>
        System.IO.File.Exists(file) ? file : throw new FileNotFoundException($"There is no ledger at '{file}'.", file);

    private static string PairQuery { get; } = $"SELECT {LedgerTable.Pairs.ColumnsOf("p")}, r.kept FROM pairs p LEFT JOIN reviews r ON r.pair_id = p.id";

    private LedgerPair Pair(SqliteDataReader reader)
    {
        LedgerRow row = new(File, LedgerTable.Pairs.Name, LedgerTable.Pairs.Keys, reader);
        return LedgerTable.Pairs.Read(row) with { Reviewed = row.Of(LedgerTable.Reviews.Name).FlagOrNull(reader.FieldCount - 1) };
    }

    private static string IsCount(string column) =>
        string.Create(CultureInfo.InvariantCulture, $"typeof({column}) = 'integer' AND {column} BETWEEN 0 AND {LedgerTable.MostCounted}");

    private void Same(int rows, string what)
    {
        if (rows == 0)
        {
            throw new LedgerException(File, $"{what} as it was first written", "another: keys must stay, and so must the run's options");
        }
    }

    private Task Write(Action<LedgerWriter> write) =>
        (_writer ?? throw new InvalidOperationException($"The ledger '{File}' was opened to read.")).WriteAsync(write);

    private List<T> Read<T>(LedgerTable<T> table, string condition, params ReadOnlySpan<object> values) =>
        Read($"{table.Select} {condition}", r => table.Read(new LedgerRow(File, table.Name, table.Keys, r)), values);

    private List<T> Read<T>(string sql, Func<SqliteDataReader, T> row, params ReadOnlySpan<object> values)
    {
        try
        {
            return ReadRows(sql, row, values);
        }
        catch (SqliteException e)
        {
            throw _place.Fault() ?? LedgerFile.Fault(File, e);
        }
    }

    private List<T> ReadRows<T>(string sql, Func<SqliteDataReader, T> row, ReadOnlySpan<object> values)
    {
        lock (_gate)
        {
            if (!_commands.TryGetValue(sql, out SqliteCommand? command))
            {
                _commands.Add(sql, command = _read.CreateCommand());
                command.CommandText = sql;
            }
            command.Parameters.Clear();
            for (int i = 0; i < values.Length; i++)
            {
                command.Parameters.AddWithValue($"${i}", values[i]);
            }
            List<T> rows = [];
            using SqliteDataReader reader = command.ExecuteReader();
            while (reader.Read())
            {
                rows.Add(row(reader));
            }
            return rows;
        }
    }
}
