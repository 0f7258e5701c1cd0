using Dsd.Common.Files;
using Dsd.Testing;

namespace Dsd.Common.Tests.Files;

public class AtomicFolderTests
{
    private static readonly Action<string> Never = folder => throw new IOException($"'{folder}' is in use");
    private static readonly Action<string> Always = _ => { };

    [Fact]
    public void Write_MakesTheFolderAndItsParents()
    {
        using TemporaryFolder temporary = new();
        string target = temporary.File("a", "b");

        AtomicFolder.Write(target, Never, folder => File.WriteAllText(Path.Combine(folder, "x"), "1"));

        Assert.Equal(["x"], Directory.EnumerateFileSystemEntries(target).Select(Path.GetFileName));
        Assert.Equal(["b"], Directory.EnumerateFileSystemEntries(temporary.File("a")).Select(Path.GetFileName));
    }

    [Fact]
    public void Write_LeavesNothing_WhenFillingFails()
    {
        using TemporaryFolder temporary = new();

        Assert.Throws<InvalidDataException>(() => AtomicFolder.Write(temporary.File("a", "b"), Never, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "x"), "1");
            throw new InvalidDataException();
        }));

        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary.Path));
    }

    [Fact]
    public void Write_KeepsWhatStoodThere_WhenFillingFails()
    {
        using TemporaryFolder temporary = new();
        AtomicFolder.Write(temporary.File("a"), Never, folder => File.WriteAllText(Path.Combine(folder, "x"), "1"));

        Assert.Throws<InvalidDataException>(() => AtomicFolder.Write(temporary.File("a"), Always, _ => throw new InvalidDataException()));

        Assert.Equal("1", File.ReadAllText(temporary.File("a", "x")));
        Assert.Single(Directory.EnumerateFileSystemEntries(temporary.Path));
    }

    [Fact]
    public void Write_ReplacesWhatMayBeReplaced_Whole()
    {
        using TemporaryFolder temporary = new();
        AtomicFolder.Write(temporary.File("a"), Never, folder => File.WriteAllText(Path.Combine(folder, "x"), "1"));

        AtomicFolder.Write(temporary.File("a"), Always, folder => File.WriteAllText(Path.Combine(folder, "y"), "2"));

        Assert.Equal(["y"], Directory.EnumerateFileSystemEntries(temporary.File("a")).Select(Path.GetFileName));
        Assert.Single(Directory.EnumerateFileSystemEntries(temporary.Path));
    }

    [Fact]
    public void Write_NamesTheTarget_WhereNoFolderCanBe()
    {
        using TemporaryFolder temporary = new();
        File.WriteAllText(temporary.File("file"), "");

        IOException e = Assert.Throws<IOException>(() => AtomicFolder.Write(temporary.File("file", "below"), Never, _ => { }));

        Assert.Contains(temporary.File("file", "below"), e.Message, StringComparison.Ordinal);
    }
}
