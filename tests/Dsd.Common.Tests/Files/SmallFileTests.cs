using System.Text;
using Dsd.Common.Files;

namespace Dsd.Common.Tests.Files;

public sealed class SmallFileTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    public static TheoryData<Encoding> Marked =>
        [new UTF8Encoding(true), new UTF8Encoding(false), Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.UTF32, new UTF32Encoding(true, true)];

    [Theory]
    [MemberData(nameof(Marked))]
    public void Text_IsReadWithAndWithoutAMark(Encoding encoding)
    {
        File.WriteAllText(_file, "{\"ä\": \"猫😀\"}\n", encoding);
        Assert.Equal("{\"ä\": \"猫😀\"}\n", SmallFile.Text(_file, 1000, Refuse));
        Assert.Equal(Encoding.UTF8.GetBytes("{\"ä\": \"猫😀\"}\n"), SmallFile.Utf8(_file, 1000, Refuse).ToArray());
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0x0a, 0xe9, 0x0a }, "byte 0xe9 in line 2")] // Latin 1
    [InlineData(new byte[] { 0x61, 0xc3 }, "byte 0xc3 in line 1")] // cut off within a character
    [InlineData(new byte[] { 0xed, 0xa0, 0x80 }, "byte 0xed in line 1")] // half of a surrogate pair
    [InlineData(new byte[] { 0xff, 0xfe, 0x61 }, "expected text in Unicode")] // UTF-16 with a byte too few
    [InlineData(new byte[] { 0x1f, 0x8b, 8, 0 }, "a gzip archive")]
    [InlineData(new byte[0], "an empty file")]
    [InlineData(new byte[] { 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20 }, "expected at most 8 bytes, found 9")]
    public void Text_RefusesWhatIsNone(byte[] content, string message)
    {
        File.WriteAllBytes(_file, content);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => SmallFile.Text(_file, 8, Refuse)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_NamesAFolder() =>
        Assert.Contains(Path.GetTempPath(), Assert.Throws<IOException>(() => SmallFile.Text(Path.GetTempPath(), 8, Refuse)).Message, StringComparison.Ordinal);

    private static InvalidDataException Refuse(string expected, string found) => new($"expected {expected}, found {found}");
}
