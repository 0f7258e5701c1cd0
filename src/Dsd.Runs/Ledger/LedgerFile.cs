using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Ledger;

/// <summary>The file of a ledger: how it is opened, known as one, and what its faults mean.</summary>
internal static class LedgerFile
{
    /// <summary>What SQLite's <c>application_id</c> says of a ledger: "DsdL".</summary>
    public const int ApplicationId = 0x4473644C;

    /// <summary>The version that is written. Older ones, from 1 on, are read as they are, and brought to this one when they are opened to write.</summary>
    private const int Version = 2;

    public static SqliteConnection Connect(string file, SqliteOpenMode mode)
    {
        SqliteConnection connection = new(
            new SqliteConnectionStringBuilder { DataSource = file, Mode = mode, Pooling = false, DefaultTimeout = 30 }.ToString());
        connection.Open();
        return connection;
    }

    /// <summary>Opens a ledger to write; an empty or absent file becomes one.</summary>
    /// <exception cref="LedgerException">It is no ledger; nothing in it is changed.</exception>
    public static SqliteConnection ConnectToWrite(string file, SqliteOpenMode mode)
    {
        SqliteConnection connection = Connect(file, mode);
        try
        {
            bool isNew = mode == SqliteOpenMode.ReadWriteCreate && IsEmpty(connection);
            if (!isNew)
            {
                Require(connection, file);
            }
            Execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
            if (isNew)
            {
                Create(connection);
            }
            else
            {
                if (ApplicationIdOf(connection) == 0)
                {
                    Execute(connection, Stamp);
                }
                BringUpToDate(connection);
            }
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Refuses what is no ledger that can be read here. One that does not say what it is, as those made before there was a stamp, is known
    /// by its tables.
    /// </summary>
    /// <exception cref="LedgerException">It is another program's file, another version's, or lacks a table or column.</exception>
    public static void Require(SqliteConnection connection, string file)
    {
        long id = ApplicationIdOf(connection);
        if (id is not (0 or ApplicationId))
        {
            throw new LedgerException(
                file,
                "a ledger of Dsd.MLNet",
                string.Create(CultureInfo.InvariantCulture, $"another program's database (application_id {id}). Name another file or folder"));
        }
        if (IsEmpty(connection))
        {
            throw new LedgerException(file, "a ledger of Dsd.MLNet", "a file without any table: no run was begun in it");
        }
        string kind = id == ApplicationId ? "a whole ledger" : "a ledger of Dsd.MLNet";
        string other = id == ApplicationId ? "" : ": it is another program's database, or a damaged ledger, and a whole ledger has its tables";
        RequireTable(LedgerTable.Meta);
        if (VersionOf(connection) is not { } version)
        {
            object? found = Value(connection, "SELECT value FROM meta WHERE name = 'version'");
            throw new LedgerException(
                file,
                $"a ledger of version 1 to {Version}",
                found is string { Length: <= 20 } ? $"version {found}. Open it with the Dsd.MLNet that wrote it, or a newer one" : $"no version{other}");
        }
        foreach (LedgerTable table in LedgerTable.All.Where(t => t.Since <= version))
        {
            RequireTable(table);
        }

        void RequireTable(LedgerTable table)
        {
            string? columns = Value(
                connection, $"SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info('{table.Name}') ORDER BY cid)") as string;
            if (columns != table.Columns)
            {
                throw new LedgerException(
                    file,
                    $"{kind} with the table '{table.Name}' of columns {table.Columns}",
                    (columns is null ? "no such table" : $"the columns {(columns.Length <= 200 ? columns : $"{columns[..200]}…")}") + other);
            }
        }
    }

    /// <summary>A ledger's version, 1 to that of today; null for any other.</summary>
    public static int? VersionOf(SqliteConnection connection) =>
        Value(connection, "SELECT value FROM meta WHERE name = 'version'") is string text
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int version) && version is >= 1 and <= Version
            ? version
            : null;

    /// <summary>
    /// What a fault of SQLite means here: a file that is no ledger or a damaged one, or a disk and its neighbours that do not let it be
    /// read or written.
    /// </summary>
    public static Exception Fault(string file, SqliteException e)
    {
        const string Safe = "What stands in the ledger stays, and the run goes on from there when it is started again.";
        return e.SqliteErrorCode switch
        {
            1 or 11 or 20 or 26 => new LedgerException(file, "a whole ledger", $"another file or a damaged one ({e.Message})", e),
            5 or 6 =>
                new IOException($"Ledger '{file}': another program has had it locked for too long ({e.Message}). Close that program, and try again. {Safe}", e),
            8 =>
                new IOException(
                    $"Ledger '{file}' cannot be written: the file or its file system is read-only ({e.Message}). Change its permissions, "
                    + $"or take another folder. {Safe}",
                    e),
            10 =>
                new IOException(
                    $"Ledger '{file}' cannot be read or written: the disk is full or faulty ({e.Message}). Free space, or look after the disk. {Safe}", e),
            13 => new IOException($"Ledger '{file}' cannot be written: the disk is full ({e.Message}). Free space. {Safe}", e),
            14 => new IOException($"Ledger '{file}' cannot be opened ({e.Message}). See that its folder is there and can be written.", e),
            _ => new IOException($"Ledger '{file}' cannot be read or written ({e.Message}). {Safe}", e),
        };
    }

    private static string Stamp => string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId};");

    private static void Create(SqliteConnection connection)
    {
        using SqliteTransaction transaction = connection.BeginTransaction();
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        // Another process may have been quicker.
        if (IsEmpty(connection, transaction))
        {
            command.CommandText = string.Create(
                CultureInfo.InvariantCulture, $"{Script("ledger.sql")}{Script("ledger-2.sql")}INSERT INTO meta VALUES ('version', '{Version}');{Stamp}");
            command.ExecuteNonQuery();
        }
        transaction.Commit();
    }

    // What is there stays; tables are added. Another process may have been quicker.
    private static void BringUpToDate(SqliteConnection connection)
    {
        if (VersionOf(connection) is null or Version)
        {
            return;
        }
        using SqliteTransaction transaction = connection.BeginTransaction();
        if (Value(connection, "SELECT value FROM meta WHERE name = 'version'", transaction) as string == "1")
        {
            using SqliteCommand command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = string.Create(
                CultureInfo.InvariantCulture, $"{Script("ledger-2.sql")}UPDATE meta SET value = '{Version}' WHERE name = 'version';");
            command.ExecuteNonQuery();
        }
        transaction.Commit();
    }

    private static string Script(string name)
    {
        using Stream stream = typeof(RunLedger).Assembly.GetManifestResourceStream($"Dsd.Runs.{name}")!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    private static bool IsEmpty(SqliteConnection connection, SqliteTransaction? transaction = null) =>
        Value(connection, "SELECT count(*) FROM sqlite_master", transaction) is 0L;

    private static long ApplicationIdOf(SqliteConnection connection) => (long)Value(connection, "PRAGMA application_id")!;

    private static object? Value(SqliteConnection connection, string sql, SqliteTransaction? transaction = null)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        // One that is open on the connection belongs to the command already.
        command.Transaction ??= transaction;
        return command.ExecuteScalar();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
