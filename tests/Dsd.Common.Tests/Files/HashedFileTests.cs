using System.Security.Cryptography;
using Dsd.Common.Files;
using Dsd.Testing;

namespace Dsd.Common.Tests.Files;

public class HashedFileTests
{
    private const int Block = 1 << 20;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(5, 2)]
    [InlineData(Block, Block)]
    [InlineData(Block + 1, Block)]
    [InlineData(7 * Block + 3, 3 * Block + 1)]
    [InlineData(2 * Block, 1013)]
    public void AFile_HoldsWhatWasWritten_AndKnowsItsHash(int length, int piece)
    {
        using TemporaryFolder temporary = new();
        byte[] bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        HashedFolder folder = new(temporary.Path);

        using (HashedFile file = folder.Inner("a").Create("b"))
        {
            for (int first = 0; first < length; first += piece)
            {
                file.Write(bytes.AsSpan(first, Math.Min(piece, length - first)));
            }
            Assert.Equal(length, file.Position);
            file.Complete();
        }

        Assert.Equal(bytes, File.ReadAllBytes(temporary.File("a", "b")));
        FileHash expected = new(length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        Assert.Equal(expected, folder.Files["a/b"]);
        Assert.Equal(expected, FileHash.Of(temporary.File("a", "b")));
        Assert.True(FileHash.IsSha256(expected.Sha256));
    }

    [Fact]
    public void AFileThatWasNotCompleted_IsNotAmongThoseOfItsFolder()
    {
        using TemporaryFolder temporary = new();
        HashedFolder folder = new(temporary.Path);

        using (HashedFile file = folder.Create("half"))
        {
            file.Write(new byte[3 * Block]);
        }
        folder.WriteText("text", "Grüße");
        folder.Inner("copies").Copy(temporary.File("text"));

        Assert.Equal(["copies/text", "text"], folder.Files.Keys);
        Assert.Equal(folder.Files["text"], folder.Files["copies/text"]);
        Assert.Equal("Grüße", File.ReadAllText(temporary.File("copies", "text")));
    }

    [Fact]
    public void AFile_IsNotWrittenOverAnother()
    {
        using TemporaryFolder temporary = new();
        File.WriteAllText(temporary.File("a"), "mine");

        Assert.Throws<IOException>(() => new HashedFile(temporary.File("a")));
        Assert.Equal("mine", File.ReadAllText(temporary.File("a")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ab")]
    [InlineData("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    public void OtherText_IsNoHash(string? text) => Assert.False(FileHash.IsSha256(text));

    [Fact]
    public void AFileThatIsKnown_IsTakenIn_WithoutBeingCopiedWhereThatCanBe()
    {
        using TemporaryFolder temporary = new();
        Directory.CreateDirectory(temporary.File("from"));
        Directory.CreateDirectory(temporary.File("to"));
        File.WriteAllText(temporary.File("from", "known.bin"), "numbers");
        FileHash hash = FileHash.Of(temporary.File("from", "known.bin"));
        HashedFolder folder = new(temporary.File("to"));

        folder.Inner("inner").Take(temporary.File("from", "known.bin"), hash);

        Assert.Equal([new("inner/known.bin", hash)], folder.Files);
        Assert.Equal("numbers", File.ReadAllText(temporary.File("to", "inner", "known.bin")));
        // One may go without the other.
        File.Delete(temporary.File("from", "known.bin"));
        Assert.Equal("numbers", File.ReadAllText(temporary.File("to", "inner", "known.bin")));
        File.WriteAllText(temporary.File("from", "known.bin"), "other numbers");
        Assert.Throws<IOException>(() => folder.Take(temporary.File("from", "known.bin"), hash));
    }
}
