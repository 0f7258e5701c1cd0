using System.IO.Compression;
using System.Text;
using Dsd.Common.Files;

namespace Dsd.Common.Tests.Files;

public sealed class FileKindTests
{
    [Theory]
    [InlineData("GGUF\u0003\0\0\0", "a GGUF file")]
    [InlineData("lmgg\u0001\0\0\0", "a GGML file")]
    [InlineData(
        "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n",
        "a Git LFS pointer: the file itself was not fetched. Fetch it with 'git lfs pull'")]
    [InlineData("<!DOCTYPE html><html>", "an HTML page")]
    [InlineData("\n  <HTML lang=\"en\">", "an HTML page")]
    [InlineData("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "AccessDenied")]
    [InlineData("<svg xmlns=\"x\">", "an SVG drawing")]
    [InlineData("%PDF-1.7", "a PDF document")]
    [InlineData("SQLite format 3\0", "an SQLite database")]
    [InlineData("PAR1\u0015\u0004", "a Parquet file")]
    [InlineData("", "an empty file")]
    [InlineData("\0\0\0\0", "bytes of zero alone")]
    [InlineData("PK\u0005\u0006", "a zip archive")]
    [InlineData("PK\u0003\u0004......archive/data.pkl", "a pickle zipped")]
    [InlineData("PK\u0003\u0004......arr_0.npy", "an archive of NumPy")]
    [InlineData("\u0002\0\0\0\0\0\0\0{}", "a safetensors file")]
    public void OtherThanText_NamesTheKind(string content, string kind) =>
        Assert.Contains(kind, FileKind.OtherThanText(Encoding.UTF8.GetBytes(content)), StringComparison.Ordinal);

    [Theory]
    [InlineData(
        new byte[] { 0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e },
        "a pickle of the old form")] // torch.save before version 1.6
    [InlineData(new byte[] { 0x80, 4, 0x95, 0, 0 }, "a pickle of Python")]
    [InlineData(new byte[] { 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0 }, "an xz archive")]
    [InlineData(new byte[] { 0x28, 0xb5, 0x2f, 0xfd, 0 }, "a Zstandard archive")]
    [InlineData(new byte[] { 0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c }, "a 7z archive")]
    [InlineData(new byte[] { 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a }, "a PNG picture")]
    [InlineData(new byte[] { 0xff, 0xd8, 0xff, 0xe0 }, "a JPEG picture")]
    [InlineData(new byte[] { 0, 0, 0, 0x18, 0x66, 0x74, 0x79, 0x70, 0x68, 0x65, 0x69, 0x63 }, "a HEIC picture")]
    public void OtherThanText_NamesKindsByTheirBytes(byte[] content, string kind) =>
        Assert.Contains(kind, FileKind.OtherThanText(content), StringComparison.Ordinal);

    [Fact]
    public void OtherThanText_NamesArchivesAsTheyAreMade()
    {
        using MemoryStream zipped = new();
        using (GZipStream gzip = new(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write("text"u8);
        }
        Assert.Contains("a gzip archive", FileKind.OtherThanText(zipped.ToArray()), StringComparison.Ordinal);
        using MemoryStream tarred = new();
        using (System.Formats.Tar.TarWriter tar = new(tarred, leaveOpen: true))
        {
            tar.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "a"));
        }
        Assert.Contains("a tar archive", FileKind.OtherThanText(tarred.ToArray().AsSpan(0, FileKind.StartLength)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#version: 0.2\ni n\n")]
    [InlineData("{\"a\": 1}")]
    [InlineData("\ufeff{\"a\": 1}")]
    [InlineData("a")]
    [InlineData("< a b")]
    public void OtherThanText_LeavesTextAlone(string content) => Assert.Null(FileKind.OtherThanText(Encoding.UTF8.GetBytes(content)));

    [Theory]
    [InlineData("{\"error\":\"Entry not found\"}", "the answer of a server in place of the file: '{\"error\":\"Entry not found\"}'")]
    [InlineData("{\"detail\": {\"a\": 1}}", "the answer of a server")]
    [InlineData("{\"weights\": 1}", "text in JSON")]
    [InlineData("Invalid username or password.", "plain text: 'Invalid username or password.'")]
    public void Of_NamesTextToo(string content, string kind) => Assert.Contains(kind, FileKind.Of(Encoding.UTF8.GetBytes(content)), StringComparison.Ordinal);

    [Theory]
    [InlineData(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 })]
    [InlineData(new byte[] { 0xff, 0xfe, 0xfd, 0xfc })]
    public void Of_IsSilentAboutBytesThatMeanNothing(byte[] content) => Assert.Null(FileKind.Of(content));
}
