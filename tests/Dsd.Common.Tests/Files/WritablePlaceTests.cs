using Dsd.Common.Files;
using Dsd.Testing;

namespace Dsd.Common.Tests.Files;

public sealed class WritablePlaceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Require_LeavesNothing()
    {
        WritablePlace.RequireFile(_folder.File("new", "a"));
        WritablePlace.RequireFolder(_folder.File("new", "b"));
        WritablePlace.RequireMovedFolder(_folder.File("new", "c"));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Require_TakesNoFolderAwayThatAnotherProcessHasJustMade()
    {
        for (int round = 0; round < 100; round++)
        {
            string made = _folder.File($"run{round}");
            using Barrier together = new(2);
            Parallel.Invoke(
                () =>
                {
                    together.SignalAndWait();
                    WritablePlace.RequireFolder(Path.Combine(made, "cache"));
                },
                () =>
                {
                    together.SignalAndWait();
                    Directory.CreateDirectory(made);
                });
            Assert.True(Directory.Exists(made), $"round {round}");
        }
    }

    [Fact]
    public void Require_BelowAFile_NamesTheFile()
    {
        File.WriteAllText(_folder.File("a"), "text");

        IOException e = Assert.Throws<IOException>(() => WritablePlace.RequireFolder(_folder.File("a", "b", "c")));

        Assert.Contains($"'{_folder.File("a")}' is a file", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireMovedFolder_LooksAtTheFolderAboveToo()
    {
        string folder = _folder.File(new string('n', 230));
        WritablePlace.RequireFolder(folder);

        // It fits by its own name, and not by that of the folder beside it.
        Assert.Contains("too long", Assert.Throws<IOException>(() => WritablePlace.RequireMovedFolder(folder)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(230)]
    [InlineData(400)]
    public void Require_OfANameThatIsTooLong_SaysSo(int length)
    {
        IOException e = Assert.Throws<IOException>(() => WritablePlace.RequireFile(_folder.File(new string('n', length) + ".json")));

        Assert.Contains("too long", e.Message, StringComparison.Ordinal);
        Assert.Contains("too long", Assert.Throws<IOException>(() => WritablePlace.RequireFolder(_folder.File("new", new string('n', 300), "sub"))).Message,
            StringComparison.Ordinal);
    }
}
