using Dsd.Common.Files;
using Dsd.Testing;

namespace Dsd.Common.Tests.Files;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_MakesTheFileAndItsFolders()
    {
        AtomicFile.Write(_folder.File("a", "b", "x"), stream => stream.WriteByte(1));

        Assert.Equal([1], File.ReadAllBytes(_folder.File("a", "b", "x")));
        Assert.Equal(["x"], Directory.EnumerateFileSystemEntries(_folder.File("a", "b")).Select(Path.GetFileName));
    }

    [Fact]
    public void RemoveHalfWritten_TakesWhatAKilledWriterLeft_AndNothingElse()
    {
        string half = $".{Guid.NewGuid():N}.part";
        AtomicFile.Write(_folder.File("a.png"), stream => stream.WriteByte(1));
        AtomicFile.Write(_folder.File("in", "mine.part"), stream => stream.WriteByte(1));
        foreach (string name in new[] { $"a.png{half}", $"b.txt{half}", Path.Combine("in", $"c.png{half}") })
        {
            File.WriteAllText(_folder.File(name), "half");
        }

        AtomicFile.RemoveHalfWritten(_folder.File("nowhere"));
        AtomicFile.RemoveHalfWritten(_folder.Path, "*.png");
        Assert.Equal(["a.png", $"b.txt{half}", Path.Combine("in", $"c.png{half}"), Path.Combine("in", "mine.part")], Files());
        AtomicFile.RemoveHalfWritten(_folder.Path, inner: true);
        Assert.Equal(["a.png", Path.Combine("in", "mine.part")], Files());

        string[] Files() =>
        [
            .. Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_folder.Path, f))
                .Order(StringComparer.Ordinal),
        ];
    }

    [Fact]
    public void Write_ReplacesAFile()
    {
        File.WriteAllText(_folder.File("x"), "longer than before");

        AtomicFile.Write(_folder.File("x"), stream => stream.WriteByte(1));

        Assert.Equal([1], File.ReadAllBytes(_folder.File("x")));
        Assert.Single(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Write_ShowsNothingUntilAllIsWritten() => AtomicFile.Write(_folder.File("x"), stream =>
    {
        stream.WriteByte(1);
        Assert.False(File.Exists(_folder.File("x")));
    });

    [Fact]
    public void Write_LeavesNothing_WhenWritingFails()
    {
        Assert.Throws<InvalidDataException>(() => AtomicFile.Write(_folder.File("a", "b", "x"), Fail));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Write_KeepsWhatStoodThere_WhenWritingFails()
    {
        File.WriteAllText(_folder.File("x"), "old");

        Assert.Throws<InvalidDataException>(() => AtomicFile.Write(_folder.File("x"), Fail));

        Assert.Equal("old", File.ReadAllText(_folder.File("x")));
        Assert.Single(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Write_NamesThePath_BelowAFile()
    {
        File.WriteAllText(_folder.File("file"), "");
        string path = _folder.File("file", "below", "x");

        IOException e = Assert.Throws<IOException>(() => AtomicFile.Write(path, stream => stream.WriteByte(1)));

        Assert.Contains($"Cannot write '{path}'", e.Message, StringComparison.Ordinal);
        Assert.Equal([_folder.File("file")], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Write_NamesThePath_WhereAFolderStands()
    {
        Directory.CreateDirectory(_folder.File("x"));

        IOException e = Assert.Throws<IOException>(() => AtomicFile.Write(_folder.File("x"), stream => stream.WriteByte(1)));

        Assert.Contains($"Cannot write '{_folder.File("x")}'", e.Message, StringComparison.Ordinal);
        Assert.Equal([_folder.File("x")], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Write_NamesThePath_InAFolderThatTakesNoFiles()
    {
        // Not even root can make a file in /proc, and no other system has it.
        if (OperatingSystem.IsLinux())
        {
            IOException e = Assert.Throws<IOException>(() => AtomicFile.Write("/proc/x", stream => stream.WriteByte(1)));

            Assert.Contains("Cannot write '/proc/x'", e.Message, StringComparison.Ordinal);
        }
    }

    private static void Fail(Stream stream)
    {
        stream.WriteByte(1);
        throw new InvalidDataException();
    }
}
