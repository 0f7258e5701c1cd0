using Dsd.Testing;

namespace Dsd.CommandLine.Tests;

public sealed class OutputFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Check_LeavesNothing()
    {
        OutputFile.CheckPicture(_folder.File("new", "a.png"));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Check_OfAFolderThatTakesNoFiles_NamesIt()
    {
        // Not even root can make a file in /proc, and no other system has it.
        if (OperatingSystem.IsLinux())
        {
            IOException e = Assert.Throws<IOException>(() => OutputFile.CheckPicture("/proc/a.png"));

            Assert.Contains("the folder '/proc' takes no files", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Check_OfAFolderThatIsMovedToItsPlace_LooksAtTheFolderAboveToo()
    {
        if (OperatingSystem.IsLinux())
        {
            // It is there and takes files, and could not be replaced.
            OutputFile.CheckFolder("/dev/shm");

            Assert.Contains("too long", Assert.Throws<IOException>(() => OutputFile.CheckMovedFolder(_folder.File(new string('n', 230)))).Message,
                StringComparison.Ordinal);
            OutputFile.CheckFolder(_folder.File(new string('n', 230)));
        }
    }

    [Theory]
    [InlineData(230)]
    [InlineData(400)]
    public void Check_OfANameThatIsTooLong_SaysSo(int length)
    {
        IOException e = Assert.Throws<IOException>(() => OutputFile.CheckFile(_folder.File(new string('n', length) + ".json")));

        Assert.Contains("too long", e.Message, StringComparison.Ordinal);
        Assert.Contains("too long", Assert.Throws<IOException>(() => OutputFile.CheckFolder(_folder.File("new", new string('n', 300), "sub"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OfADevice_IsRefused_AsAFileMovedThereWouldTakeItsPlace()
    {
        if (!OperatingSystem.IsWindows())
        {
            Assert.Contains("a device", Assert.Throws<IOException>(() => OutputFile.CheckFile("/dev/null")).Message, StringComparison.Ordinal);
        }
        Assert.Contains("a folder", Assert.Throws<IOException>(() => OutputFile.CheckFile(_folder.File("new") + "/")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_AllowsAFileThatIsToBeReplaced()
    {
        File.WriteAllText(_folder.File("a.png"), "old");

        OutputFile.CheckPicture(_folder.File("a.png"));

        Assert.Equal("old", File.ReadAllText(_folder.File("a.png")));
    }
}
