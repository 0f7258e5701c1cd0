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
