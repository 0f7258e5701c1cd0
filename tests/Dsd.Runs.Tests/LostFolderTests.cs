using Dsd.Runs.Ledger;
using Dsd.Testing.Runs;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Tests;

/// <summary>Folders, ledgers and grids that are taken away, and disks that take nothing more.</summary>
public sealed class LostFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Losses =>
        new("delete folder", "move folder", "delete ledger", "replace ledger", "delete lock", "replace lock", "replace folder");

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task ARunWhoseFolderIsTakenAway_Ends_AndSaysWhatIsGone(string loss)
    {
        if (OperatingSystem.IsWindows())
        {
            // Files that are open are not given away there.
            return;
        }
        string run = _folder.File("run");
        string aside = _folder.File("aside");
        bool lost = false;
        SeededTeacher teacher = new()
        {
            Before = () =>
            {
                if (!lost)
                {
                    lost = true;
                    Lose(loss, run, aside);
                }
            },
        };

        IOException ended = await Assert.ThrowsAsync<IOException>(() => SampleRun.IntoAsync(run, SampleRun.Captions(40), teacher: teacher));

        Assert.Contains("was deleted, moved or replaced", ended.Message, StringComparison.Ordinal);
        Assert.Contains(loss.EndsWith("lock", StringComparison.Ordinal) ? "run.lock" : run, ended.Message, StringComparison.Ordinal);
        // The folder does not come into being again with a grid in it and nothing else.
        Assert.Equal(loss is not ("delete folder" or "move folder"), Directory.Exists(run));
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task AFolderThatIsTakenAwayAtTheVeryEnd_IsNoSuccess(string loss)
    {
        if (OperatingSystem.IsWindows())
        {
            // Files that are open are not given away there.
            return;
        }
        string run = _folder.File("run");
        await SampleRun.IntoAsync(run, SampleRun.Captions(2));
        await using RunFolder folder = RunFolder.Open(run);
        await folder.CheckAsync();

        Lose(loss, run, _folder.File("aside"));

        await Assert.ThrowsAsync<IOException>(folder.CheckAsync);
        if (!loss.EndsWith("lock", StringComparison.Ordinal))
        {
            await Assert.ThrowsAsync<IOException>(() => folder.WriteFailureAsync("x", "s", "m"));
        }
    }

    [Theory]
    [InlineData("delete")]
    [InlineData("cut off")]
    [InlineData("empty")]
    [InlineData("zeros")]
    [InlineData("one bit")]
    [InlineData("row")]
    public async Task AGridThatIsLost_IsDrawnAnew_AlsoWhereAllItsPairsAreJudged(string loss)
    {
        string run = _folder.File("run");
        await SampleRun.IntoAsync(run, SampleRun.Captions(3));
        IReadOnlyList<string> before = RunRows.Of(run);
        string grid = Directory.GetFiles(Path.Combine(run, "grids"), "c0001~0.*", SearchOption.AllDirectories).Single();
        byte[] bytes = File.ReadAllBytes(grid);
        switch (loss)
        {
            case "delete":
                File.Delete(grid);
                break;
            case "cut off":
                File.WriteAllBytes(grid, bytes[..^20]);
                break;
            case "empty":
                File.WriteAllBytes(grid, []);
                break;
            case "zeros":
                File.WriteAllBytes(grid, new byte[bytes.Length]);
                break;
            case "one bit":
                bytes[bytes.Length / 2] ^= 1;
                File.WriteAllBytes(grid, bytes);
                break;
            default:
                Execute(run, "DELETE FROM grids WHERE prompt_id = 'c0001~0'");
                break;
        }

        RunProgress again = await SampleRun.IntoAsync(run, SampleRun.Captions(3));

        Assert.Equal((3, 1, 0, 0), (again.Captions, again.Drawn, again.Judged, again.Failed));
        Assert.Equal(before, RunRows.Of(run));
    }

    [Fact]
    public async Task ADiskThatIsFull_EndsWriting_AndLosesNothingThatWasWritten()
    {
        string file = _folder.File("ledger.db");
        await RunLedger.Open(file).DisposeAsync();
        int written = 0;
        using (SqliteConnection connection = LedgerFile.ConnectToWrite(file, SqliteOpenMode.ReadWrite))
        {
            using SqliteCommand limit = connection.CreateCommand();
            // As a disk that takes no more: SQLite answers with the same fault.
            limit.CommandText = "PRAGMA max_page_count = 40";
            limit.ExecuteNonQuery();
            await using LedgerWriter writer = new(connection, file, new FilePlace("ledger", file));
            IOException full = await Assert.ThrowsAsync<IOException>(async () =>
            {
                while (true)
                {
                    await writer.WriteAsync(w => w.Run("INSERT INTO failures VALUES ($0, 's', $1)", $"{written}", new string('x', 500)));
                    written++;
                }
            });
            Assert.Contains($"Ledger '{file}' cannot be written: the disk is full", full.Message, StringComparison.Ordinal);
            // Whoever comes then hears the same, at once.
            Assert.Equal(full.Message, (await Assert.ThrowsAsync<IOException>(() => writer.WriteAsync(w => w.Run("DELETE FROM failures")))).Message);
        }
        await using RunLedger again = RunLedger.Open(file);
        Assert.True(written > 10);
        Assert.Equal(written, again.Counts().Failures);
        await again.WriteFailureAsync("more", "s", "m");
    }

    [Fact]
    public async Task AGridThatCannotBeWritten_IsNamed_AndTheNextRunGoesOn()
    {
        await SampleRun.IntoAsync(_folder.File("alone"), SampleRun.Captions(2));
        string run = _folder.File("run");
        Directory.CreateDirectory(run);
        // Where the folder of grids shall be stands a file.
        File.WriteAllText(Path.Combine(run, "grids"), "");

        IOException refused = await Assert.ThrowsAsync<IOException>(() => SampleRun.IntoAsync(run, SampleRun.Captions(2)));

        Assert.Contains(Path.Combine("grids", ""), refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(".part", refused.Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(run, "grids"));
        await SampleRun.IntoAsync(run, SampleRun.Captions(2));
        Assert.Equal(RunRows.Of(_folder.File("alone")), RunRows.Of(run));
    }

    [Theory]
    [InlineData(5, typeof(IOException), "another program")]
    [InlineData(8, typeof(IOException), "read-only")]
    [InlineData(10, typeof(IOException), "full or faulty")]
    [InlineData(11, typeof(LedgerException), "damaged")]
    [InlineData(13, typeof(IOException), "the disk is full")]
    [InlineData(14, typeof(IOException), "cannot be opened")]
    public void FaultsOfSqlite_AreOfTheDeclaredTypes_AndNameTheFile(int code, Type type, string named)
    {
        Exception fault = LedgerFile.Fault("/a/ledger.db", new SqliteException("reason", code));

        Assert.IsType(type, fault);
        Assert.Contains("/a/ledger.db", fault.Message, StringComparison.Ordinal);
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
    }

    private static void Lose(string loss, string run, string aside)
    {
        string ledger = RunFolder.LedgerFile(run);
        string held = Path.Combine(run, "run.lock");
        switch (loss)
        {
            case "delete folder":
                Directory.Delete(run, recursive: true);
                break;
            case "move folder":
                Directory.Move(run, aside);
                break;
            case "replace folder":
                Directory.Move(run, aside);
                Directory.CreateDirectory(run);
                File.Copy(RunFolder.LedgerFile(aside), ledger);
                File.WriteAllText(held, "");
                break;
            case "delete ledger":
                File.Delete(ledger);
                break;
            case "replace ledger":
                File.Move(ledger, aside);
                File.Copy(aside, ledger);
                break;
            case "delete lock":
                File.Delete(held);
                break;
            default:
                File.Move(held, aside);
                File.WriteAllText(held, "");
                break;
        }
    }

    private static void Execute(string run, string sql)
    {
        using SqliteConnection connection = new($"Data Source={RunFolder.LedgerFile(run)};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
