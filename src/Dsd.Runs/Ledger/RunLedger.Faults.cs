using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Ledger;

// Rows that cannot be read hide no others: they are passed over where they are met, and counted here.
public sealed partial class RunLedger
{
    /// <summary>Goes through all rows of the ledger and says which cannot be read.</summary>
    /// <param name="most">Of how many to say what is wrong.</param>
    /// <exception cref="LedgerException">The ledger as a whole cannot be read.</exception>
    /// <exception cref="IOException">It is gone, or the disk does not let it be read.</exception>
    public LedgerFaults Faults(int most = 5)
    {
        try
        {
            // By a connection of its own: who reads meanwhile does not wait.
            using SqliteConnection connection = LedgerFile.Connect(File, SqliteOpenMode.ReadOnly);
            List<string> first = [];
            long count = 0;
            foreach (LedgerException fault in FaultsOf(connection, File))
            {
                count++;
                if (first.Count < most)
                {
                    first.Add(fault.Message);
                }
            }
            return count == 0 ? LedgerFaults.None : new LedgerFaults(count, first);
        }
        catch (SqliteException e)
        {
            throw LedgerFile.Fault(File, e);
        }
    }

    private static IEnumerable<LedgerException> FaultsOf(SqliteConnection connection, string file)
    {
        int version = LedgerFile.VersionOf(connection) ?? 1;
        foreach (LedgerTable table in LedgerTable.All.Where(t => t.Since <= version))
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = table.Select;
            using SqliteDataReader rows = command.ExecuteReader();
            while (rows.Read())
            {
                if (FaultOf(table, new LedgerRow(file, table.Name, table.Keys, rows)) is { } fault)
                {
                    yield return fault;
                }
            }
        }
    }

    private static LedgerException? FaultOf(LedgerTable table, LedgerRow row)
    {
        try
        {
            table.Check(row);
            return null;
        }
        catch (LedgerException e)
        {
            return e;
        }
    }
}
