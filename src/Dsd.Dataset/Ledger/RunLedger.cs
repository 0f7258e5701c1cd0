using System.Globalization;
using System.Text.Json;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Microsoft.Data.Sqlite;

namespace Dsd.Dataset.Ledger;

/// <summary>
/// What was done for a dataset: every caption, prompt, sheet, judgement with its reasons, and what it cost, in one SQLite file. What a write's task has completed is on disk, and survives the
/// end of the process at any moment; after a power failure the last moments may be missing, and the file is whole.
/// </summary>
/// <remarks>
/// Safe to share between threads. Others may read meanwhile. A run has the file to itself (<see cref="Runs.RunFolder"/> holds a lock); only reviews are written beside it, a row at a time:
/// each writer waits up to 30 seconds for the other's transaction.
/// </remarks>
public sealed partial class RunLedger : IAsyncDisposable
{
    private const string Version = "1";
    private readonly SqliteConnection _read;
    private readonly SqliteConnection? _write;
    private readonly LedgerWriter? _writer;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SqliteCommand> _commands = [];

    private RunLedger(string file, SqliteConnection read, SqliteConnection? write)
    {
        (File, _read, _write) = (file, read, write);
        _writer = write is null ? null : new LedgerWriter(write);
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>Statements that were written since it was opened.</summary>
    public long Written => _writer?.Written ?? 0;

    /// <summary>Opens a ledger for reading and writing, and makes it where there is none.</summary>
    /// <exception cref="LedgerException">The file is no ledger, or one of another version.</exception>
    /// <exception cref="IOException">The folder cannot be made, or the file not opened.</exception>
    public static RunLedger Open(string file) => Open(file, write: true);

    /// <summary>Opens a ledger for reading.</summary>
    /// <exception cref="LedgerException">The file is no ledger, or one of another version.</exception>
    /// <exception cref="IOException">There is no such file.</exception>
    public static RunLedger OpenToRead(string file) => System.IO.File.Exists(file) ? Open(file, write: false) : throw new FileNotFoundException($"There is no ledger at '{file}'.", file);

    /// <summary>A value that belongs to the whole ledger; null where there is none.</summary>
    public string? Meta(string name) => Read("SELECT value FROM meta WHERE name = $0", r => r.GetString(0), name).FirstOrDefault();

    /// <summary>Whether a caption's prompts stand in the ledger.</summary>
    /// <exception cref="LedgerException">Another caption has this key.</exception>
    public bool IsWritten(SeedCaption caption)
    {
        ArgumentNullException.ThrowIfNull(caption);
        (string? words, bool written) = Read("SELECT caption, written FROM captions WHERE key = $0", r => (r.GetString(0), r.GetInt64(1) == 1), caption.Key).FirstOrDefault();
        return words is null || words == caption.Caption ? written : throw new LedgerException(File, $"the caption '{words}' of key '{caption.Key}'", $"'{caption.Caption}'");
    }

    /// <summary>The sheets to be drawn for a caption, in order.</summary>
    public IReadOnlyList<LedgerPrompt> PromptsOf(string captionKey) =>
        Read("SELECT id, caption_key, ordinal, text, subject, layout, captions, seed FROM prompts WHERE caption_key = $0 ORDER BY ordinal", Prompt, captionKey);

    /// <summary>The sheet that was drawn for a prompt; null where none was.</summary>
    public LedgerGrid? GridOf(string promptId) => Read(
        "SELECT file, width, height, sha256, drawer FROM grids WHERE prompt_id = $0",
        r => new LedgerGrid(promptId, r.GetString(0), r.GetInt32(1), r.GetInt32(2), r.GetString(3), r.GetString(4)),
        promptId).FirstOrDefault();

    /// <summary>A prompt by its id.</summary>
    /// <exception cref="LedgerException">There is none.</exception>
    public LedgerPrompt PromptOf(string promptId) =>
        Read("SELECT id, caption_key, ordinal, text, subject, layout, captions, seed FROM prompts WHERE id = $0", Prompt, promptId).FirstOrDefault()
        ?? throw new LedgerException(File, $"a prompt '{promptId}'", "none");

    /// <summary>The panels of a sheet that are judged already, as pairs.</summary>
    public IReadOnlySet<(int First, int Second)> JudgedOf(string promptId) =>
        Read("SELECT first, second FROM pairs WHERE prompt_id = $0", r => (r.GetInt32(0), r.GetInt32(1)), promptId).ToHashSet();

    /// <summary>Captions that panels were given in place of the sheet's words, by panel.</summary>
    public IReadOnlyDictionary<int, string> PanelCaptionsOf(string promptId) =>
        Read("SELECT panel, caption FROM panels WHERE prompt_id = $0", r => (r.GetInt32(0), r.GetString(1)), promptId).ToDictionary(p => p.Item1, p => p.Item2);

    /// <summary>The votes on a pair, in the order of asking.</summary>
    /// <exception cref="LedgerException">What stands there is no verdict.</exception>
    public IReadOnlyList<JudgeVote> VotesOf(string pairId) => Read(
        "SELECT judge, model, kept, verdict, reason, attempts, input_tokens, output_tokens, seconds FROM votes WHERE pair_id = $0 ORDER BY ordinal",
        r => new JudgeVote
        {
            Judge = r.GetString(0),
            Model = r.IsDBNull(1) ? null : r.GetString(1),
            Kept = r.GetBoolean(2),
            Verdict = r.IsDBNull(3) ? null : ReadVerdict(pairId, r.GetString(3)),
            Reason = r.GetString(4),
            Attempts = r.GetInt32(5),
            InputTokens = r.GetInt64(6),
            OutputTokens = r.GetInt64(7),
            Duration = TimeSpan.FromSeconds(r.GetDouble(8)),
        },
        pairId);

    /// <summary>All judged pairs by id, without their votes, a page in memory at a time: a ledger of any length can be gone through, and written meanwhile.</summary>
    /// <param name="keptOnly">Only those that go into datasets.</param>
    public IEnumerable<LedgerPair> Pairs(bool keptOnly = false)
    {
        const int Page = 1000;
        string after = "";
        while (true)
        {
            List<LedgerPair> page = Read(
                "SELECT p.id, p.prompt_id, p.first, p.second, p.status, p.kept, p.confidence, p.reason, r.kept FROM pairs p LEFT JOIN reviews r ON r.pair_id = p.id WHERE p.id > $0 ORDER BY p.id LIMIT 1000",
                Pair,
                after);
            foreach (LedgerPair pair in page.Where(p => p.Kept || !keptOnly))
            {
                yield return pair;
            }
            if (page.Count < Page)
            {
                yield break;
            }
            after = page[^1].Id;
        }
    }

    /// <summary>A pair with its votes.</summary>
    /// <exception cref="LedgerException">There is none of this id.</exception>
    public LedgerPair PairOf(string pairId)
    {
        LedgerPair pair = Read(
            "SELECT p.id, p.prompt_id, p.first, p.second, p.status, p.kept, p.confidence, p.reason, r.kept FROM pairs p LEFT JOIN reviews r ON r.pair_id = p.id WHERE p.id = $0",
            Pair,
            pairId).FirstOrDefault() ?? throw new LedgerException(File, $"a pair '{pairId}'", "none");
        IReadOnlyList<JudgeVote> votes = VotesOf(pairId);
        Verdict? verdict = votes.LastOrDefault(v => v.Kept == pair.Judgement.Kept && v.Verdict is not null)?.Verdict;
        return pair with { Judgement = pair.Judgement with { Votes = votes, Verdict = verdict } };
    }

    /// <summary>What failed and is left for the next run: what it was, where, and why.</summary>
    public IReadOnlyList<(string Id, string Stage, string Message)> Failures(int most = 100) =>
        Read("SELECT id, stage, message FROM failures ORDER BY id LIMIT $0", r => (r.GetString(0), r.GetString(1), r.GetString(2)), most);

    /// <summary>What stands in the ledger.</summary>
    public LedgerCounts Counts() => Read(
        """
        SELECT (SELECT count(*) FROM captions WHERE written = 1), (SELECT count(*) FROM prompts), (SELECT count(*) FROM grids), (SELECT count(*) FROM pairs),
          (SELECT count(*) FROM pairs p LEFT JOIN reviews r ON r.pair_id = p.id WHERE coalesce(r.kept, p.kept) = 1), (SELECT count(*) FROM pairs WHERE status = 'Undecided'),
          (SELECT count(*) FROM reviews), (SELECT count(*) FROM failures)
        """,
        r => new LedgerCounts(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4), r.GetInt64(5), r.GetInt64(6), r.GetInt64(7)))[0];

    /// <summary>What judging took, by judge and model.</summary>
    public IReadOnlyList<LedgerUsage> Usage() => Read(
        "SELECT judge, model, count(*), sum(attempts), sum(input_tokens), sum(output_tokens) FROM votes GROUP BY judge, model ORDER BY judge, model",
        r => new LedgerUsage(r.GetString(0), r.IsDBNull(1) ? null : r.GetString(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4), r.GetInt64(5)));

    /// <summary>Calls and tokens that all sessions of the run have counted against its budget.</summary>
    public (long Calls, long Tokens) Spent() => Read("SELECT coalesce(sum(calls), 0), coalesce(sum(tokens), 0) FROM spent", r => (r.GetInt64(0), r.GetInt64(1)))[0];

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
            Same(w.Run("INSERT INTO captions VALUES ($0, $1, 1) ON CONFLICT DO UPDATE SET written = 1 WHERE caption = excluded.caption", caption.Key, caption.Caption), $"the caption of key '{caption.Key}'");
            foreach (LedgerPrompt p in prompts)
            {
                int rows = w.Run(
                    "INSERT INTO prompts VALUES ($0, $1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO UPDATE SET seed = excluded.seed WHERE text = excluded.text AND seed = excluded.seed",
                    p.Id, p.CaptionKey, p.Ordinal, p.Prompt.Text, p.Prompt.Subject, p.Prompt.Layout.ToString(), JsonSerializer.Serialize(p.Prompt.Captions), p.Seed);
                Same(rows, $"prompt '{p.Id}'");
            }
            w.Run("DELETE FROM failures WHERE id = $0", caption.Key);
        });
    }

    /// <summary>Writes that a sheet was drawn, once: a second one for the same prompt is left out, unless the first one's file is gone or damaged.</summary>
    /// <param name="grid">The sheet.</param>
    /// <param name="replace">Whether the first one is of no use any more.</param>
    public Task WriteGridAsync(LedgerGrid grid, bool replace = false)
    {
        ArgumentNullException.ThrowIfNull(grid);
        string conflict = replace
            ? "UPDATE SET file = excluded.file, width = excluded.width, height = excluded.height, sha256 = excluded.sha256, drawer = excluded.drawer"
            : "NOTHING";
        return Write(w =>
        {
            w.Run($"INSERT INTO grids VALUES ($0, $1, $2, $3, $4, $5) ON CONFLICT DO {conflict}", grid.PromptId, grid.File, grid.Width, grid.Height, grid.Sha256, grid.Drawer);
            w.Run("DELETE FROM failures WHERE id = $0", grid.PromptId);
        });
    }

    /// <summary>Writes a panel's own caption, once.</summary>
    public Task WritePanelCaptionAsync(string promptId, int panel, string caption) => Write(w => w.Run("INSERT INTO panels VALUES ($0, $1, $2) ON CONFLICT DO NOTHING", promptId, panel, caption));

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
        Write(w => w.Run("INSERT INTO failures VALUES ($0, $1, $2) ON CONFLICT DO UPDATE SET stage = excluded.stage, message = excluded.message", id, stage, message));

    /// <summary>Writes a person's verdict on a pair; null takes it back.</summary>
    /// <exception cref="LedgerException">There is no such pair.</exception>
    public Task WriteReviewAsync(string pairId, bool? kept, DateTimeOffset at)
    {
        _ = PairOf(pairId);
        return Write(w =>
        {
            if (kept is { } value)
            {
                w.Run("INSERT INTO reviews VALUES ($0, $1, $2) ON CONFLICT DO UPDATE SET kept = excluded.kept, at = excluded.at", pairId, value, at.ToString("O", CultureInfo.InvariantCulture));
            }
            else
            {
                w.Run("DELETE FROM reviews WHERE pair_id = $0", pairId);
            }
        });
    }

    /// <summary>Notes what a session has spent so far. What it has spent only grows, so of two notes the larger is the later, in whatever order they come.</summary>
    public Task WriteSpentAsync(string session, long calls, long tokens) => Write(w => w.Run(
        "INSERT INTO spent VALUES ($0, $1, $2) ON CONFLICT DO UPDATE SET calls = max(calls, excluded.calls), tokens = max(tokens, excluded.tokens)", session, calls, tokens));

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

    private static RunLedger Open(string file, bool write)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        string path = Path.GetFullPath(file);
        if (write)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        }
        SqliteConnection? writing = null;
        SqliteConnection? reading = null;
        try
        {
            if (write)
            {
                writing = Connect(path, SqliteOpenMode.ReadWriteCreate);
                Execute(writing, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
                Create(writing);
            }
            reading = Connect(path, SqliteOpenMode.ReadOnly);
            AddFunctions(reading);
            using SqliteCommand version = reading.CreateCommand();
            version.CommandText = "SELECT value FROM meta WHERE name = 'version'";
            return version.ExecuteScalar() as string is var found && found == Version
                ? new RunLedger(path, reading, writing)
                : throw new LedgerException(path, $"version {Version}", found ?? "none");
        }
        catch (SqliteException e)
        {
            reading?.Dispose();
            writing?.Dispose();
            throw e.SqliteErrorCode is 26 or 1 ? new LedgerException(path, "a ledger of Dsd.MLNet", $"another file ({e.Message})", e) : new IOException($"The ledger '{path}' cannot be opened: {e.Message}", e);
        }
        catch
        {
            reading?.Dispose();
            writing?.Dispose();
            throw;
        }
    }

    private static void Create(SqliteConnection connection)
    {
        using SqliteTransaction transaction = connection.BeginTransaction();
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "SELECT count(*) FROM sqlite_master WHERE name = 'meta'";
        if ((long)command.ExecuteScalar()! == 0)
        {
            using Stream stream = typeof(RunLedger).Assembly.GetManifestResourceStream("Dsd.Dataset.ledger.sql")!;
            using StreamReader reader = new(stream);
            command.CommandText = reader.ReadToEnd() + $"INSERT INTO meta VALUES ('version', '{Version}');";
            command.ExecuteNonQuery();
        }
        transaction.Commit();
    }

    private static SqliteConnection Connect(string file, SqliteOpenMode mode)
    {
        SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = file, Mode = mode, Pooling = false, DefaultTimeout = 30 }.ToString());
        connection.Open();
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static LedgerPrompt Prompt(SqliteDataReader r) => new(
        r.GetString(0),
        r.GetString(1),
        r.GetInt32(2),
        new GridPrompt(r.GetString(3), GridLayout.Parse(r.GetString(5)), r.GetString(4), JsonSerializer.Deserialize<string[]>(r.GetString(6))!),
        r.GetInt64(7));

    private static LedgerPair Pair(SqliteDataReader r) => new(r.GetString(0), r.GetString(1), r.GetInt32(2), r.GetInt32(3), new PairJudgement
    {
        Status = Enum.Parse<VerdictStatus>(r.GetString(4)),
        Kept = r.GetBoolean(5),
        Confidence = r.IsDBNull(6) ? double.NaN : r.GetDouble(6),
        Reason = r.GetString(7),
        Votes = [],
    })
    {
        Reviewed = r.IsDBNull(8) ? null : r.GetBoolean(8),
    };

    private Verdict ReadVerdict(string pairId, string json)
    {
        try
        {
            return Verdict.FromJson(json);
        }
        catch (VerdictFormatException e)
        {
            throw new LedgerException(File, $"a verdict on pair '{pairId}'", $"something else ({e.Message})", e);
        }
    }

    private void Same(int rows, string what)
    {
        if (rows == 0)
        {
            throw new LedgerException(File, $"{what} as it was first written", "another: keys must stay, and so must the run's options");
        }
    }

    private Task Write(Action<LedgerWriter> write) => (_writer ?? throw new InvalidOperationException($"The ledger '{File}' was opened to read.")).WriteAsync(write);

    private List<T> Read<T>(string sql, Func<SqliteDataReader, T> row, params ReadOnlySpan<object> values)
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
