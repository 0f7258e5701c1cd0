using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Ledger;

/// <summary>
/// Writes from many threads in the transactions of one: what comes while one is written goes into the next, so the disk is waited for once
/// for many.
/// </summary>
internal sealed class LedgerWriter : IAsyncDisposable
{
    private const int MostInOne = 2000;
    private readonly Channel<Entry> _entries = Channel.CreateBounded<Entry>(new BoundedChannelOptions(MostInOne) { SingleReader = true });
    private readonly SqliteConnection _connection;
    private readonly string _file;
    private readonly FilePlace _place;
    private readonly Dictionary<string, SqliteCommand> _commands = [];
    private readonly Task _loop;
    private SqliteTransaction? _transaction;
    private Exception? _fault;

    public LedgerWriter(SqliteConnection connection, string file, FilePlace place)
    {
        (_connection, _file, _place) = (connection, file, place);
        _loop = Task.Factory.StartNew(Loop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
    }

    /// <summary>Statements written so far.</summary>
    public long Written { get; private set; }

    /// <summary>Writes in one transaction with others; done when it is on disk.</summary>
    public async Task WriteAsync(Action<LedgerWriter> write)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _entries.Writer.WriteAsync(new Entry(write, done)).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw _fault is null ? new ObjectDisposedException(nameof(RunLedger)) : Again(_fault);
        }
        await done.Task.ConfigureAwait(false);
    }

    /// <summary>Runs a statement, within what <see cref="WriteAsync"/> was given.</summary>
    public int Run(string sql, params ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(sql, out SqliteCommand? command))
        {
            _commands.Add(sql, command = _connection.CreateCommand());
            command.CommandText = sql;
            for (int i = 0; i < values.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = $"${i}" });
            }
        }
        for (int i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
        command.Transaction = _transaction;
        Written++;
        return command.ExecuteNonQuery();
    }

    /// <summary>The first column of what a query finds, what this transaction has written included; within what <see cref="WriteAsync"/> was given.</summary>
    public IReadOnlyList<string> Read(string sql)
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = _transaction;
        List<string> values = [];
        using SqliteDataReader rows = command.ExecuteReader();
        while (rows.Read())
        {
            values.Add(rows.GetString(0));
        }
        return values;
    }

    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        foreach (SqliteCommand command in _commands.Values)
        {
            command.Dispose();
        }
    }

    private async Task Loop()
    {
        List<Entry> batch = [];
        while (await _entries.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (batch.Count < MostInOne && _entries.Reader.TryRead(out Entry? entry))
            {
                batch.Add(entry);
            }
            Commit(batch);
            batch.Clear();
        }
    }

    private void Commit(List<Entry> batch)
    {
        // After a fault the rest is not tried: each might wait for half a minute until the same is found.
        if ((_fault ??= _place.Fault()) is not null)
        {
            Close(batch);
            return;
        }
        try
        {
            using SqliteTransaction transaction = _transaction = _connection.BeginTransaction();
            foreach (Entry entry in batch)
            {
                entry.Write(this);
            }
            transaction.Commit();
        }
        catch (Exception e) when (batch.Count == 1)
        {
            _transaction = null;
            if (e is SqliteException fault)
            {
                // SQLite calls a file that was taken away a fault of the disk.
                _fault = _place.Fault() ?? LedgerFile.Fault(_file, fault);
                Close(batch);
            }
            else
            {
                batch[0].Done.SetException(e);
            }
            return;
        }
        catch (Exception)
        {
            _transaction = null;
            // One of them is at fault: each by itself, so that the others are written and the fault reaches the one.
            batch.ForEach(entry => Commit([entry]));
            return;
        }
        _transaction = null;
        // Only now is it certain: in between the file may have been taken away.
        if ((_fault = _place.Fault()) is not null)
        {
            Close(batch);
            return;
        }
        batch.ForEach(entry => entry.Done.SetResult());
    }

    /// <summary>Takes nothing more: what waits, and whoever comes, hears of the fault.</summary>
    private void Close(List<Entry> batch)
    {
        batch.ForEach(entry => entry.Done.TrySetException(Again(_fault!)));
        // Without the fault: whoever writes gets it, and closing the ledger still ends in order.
        _entries.Writer.TryComplete();
        while (_entries.Reader.TryRead(out Entry? waiting))
        {
            waiting.Done.TrySetException(Again(_fault!));
        }
    }

    // Many hear of one fault, and each throws its own exception.
    private static Exception Again(Exception fault) => fault is IOException ? new IOException(fault.Message, fault.InnerException) : fault;

    private sealed record Entry(Action<LedgerWriter> Write, TaskCompletionSource Done);
}
