using System.Buffers.Binary;
using System.Text;
using Dsd.Models.Weights;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Weights;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_ReadsNamesTypesShapesAndMetadata()
    {
        const string Header = """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}"""
            + ""","b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}""";
        string path = Raw(Header, 16);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(["a", "b"], file.Entries.Keys);
        Assert.Equal("F32", file.Entries["a"].DType);
        Assert.Equal([2, 1], file.Entries["a"].Shape);
        Assert.Equal(8, file.Bytes("b").Length);
        Assert.Equal("pt", file.Metadata["format"]);
    }

    [Theory]
    [InlineData("F64", 8)]
    [InlineData("F32", 4)]
    [InlineData("F16", 2)]
    [InlineData("BF16", 2)]
    [InlineData("I64", 8)]
    [InlineData("I32", 4)]
    [InlineData("I16", 2)]
    [InlineData("I8", 1)]
    [InlineData("U8", 1)]
    [InlineData("BOOL", 1)]
    public void Read_GivesATensorOfTheFilesOwnType(string dtype, int size)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Raw(One(dtype, "3", 0, 3 * size), 3 * size));
        using Tensor tensor = file.Read("a");
        Assert.Equal(DTypes.Scalar(dtype), tensor.dtype);
        Assert.True(file.Bytes("a").SequenceEqual(tensor.bytes));
    }

    // Every type of the format (safetensors 0.8, Dtype), so that a file with any of them can be looked at.
    [Theory]
    [InlineData("BOOL", 8)]
    [InlineData("F4", 4)]
    [InlineData("F6_E2M3", 6)]
    [InlineData("F6_E3M2", 6)]
    [InlineData("U8", 8)]
    [InlineData("I8", 8)]
    [InlineData("F8_E5M2", 8)]
    [InlineData("F8_E4M3", 8)]
    [InlineData("F8_E8M0", 8)]
    [InlineData("F8_E4M3FNUZ", 8)]
    [InlineData("F8_E5M2FNUZ", 8)]
    [InlineData("I16", 16)]
    [InlineData("U16", 16)]
    [InlineData("F16", 16)]
    [InlineData("BF16", 16)]
    [InlineData("I32", 32)]
    [InlineData("U32", 32)]
    [InlineData("F32", 32)]
    [InlineData("C64", 64)]
    [InlineData("F64", 64)]
    [InlineData("I64", 64)]
    [InlineData("U64", 64)]
    public void Open_KnowsEveryTypeOfTheFormat(string dtype, int bits)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Raw(One(dtype, "4", 0, bits / 2), bits / 2));
        Assert.Equal((dtype, 4, bits / 2), (file.Entries["a"].DType, file.Entries["a"].ElementCount, file.Entries["a"].ByteLength));
    }

    [Fact]
    public void Open_RefusesElementsThatFillNoWholeBytes() =>
        Assert.Contains(
            "12 bits of F4 [3]",
            Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(Raw(One("F4", "3", 0, 2), 2))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("F8_E4M3")]
    [InlineData("F8_E5M2")]
    public void Bytes_GivesEightBitFloatsRaw(string dtype)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Raw(One(dtype, "3", 0, 3), 3));
        Assert.Equal([0, 1, 2], file.Bytes("a").ToArray());
    }

    [Fact]
    public void Read_RefusesATypeThatTorchSharpLacks()
    {
        using SafetensorsFile file = SafetensorsFile.Open(Raw(One("U16", "3", 0, 6), 6));
        Assert.Contains("U16", Assert.Throws<SafetensorsException>(() => file.Read("a")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing dtype", """{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "'dtype' once")]
    [InlineData("dtype twice", """{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "'dtype' once")]
    [InlineData("dtype unknown", """{"a":{"dtype":"F3","shape":[1],"data_offsets":[0,4]}}""", 4, "a dtype among")]
    [InlineData("size too small", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "8 bytes for F32 [2]")]
    [InlineData("negative shape", """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "at least zero")]
    [InlineData("shape of fractions", """{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [InlineData("shape beyond 64 bits", """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}""", 4, "fits into 64 bits")]
    [InlineData("dimension beyond 64 bits", """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [InlineData("offsets reversed", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "begin <= end")]
    [InlineData("one offset", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}""", 4, "[begin, end]")]
    [InlineData("overlap", """{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "an overlap")]
    [InlineData("gap", """{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[5,9]}}""", 9, "a gap")]
    [InlineData("out of range", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "truncated")]
    [InlineData(
        "name twice",
        """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""",
        2,
        "the name twice")]
    [InlineData("entry no object", """{"a":[]}""", 0, "an object")]
    public void Open_RefusesATensorThatIsWrong(string fault, string header, int dataLength, string message)
    {
        SafetensorsException e = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(Raw(header, dataLength)));
        Assert.True(e.Tensor == "a", fault);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains(_folder.Path, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 3, "1 bytes of data")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "metadata 'a' as text")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "metadata 'a' once")]
    [InlineData("""{"__metadata__":[]}""", 0, "'__metadata__' as an object")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "one '__metadata__'")]
    [InlineData("""{"a":""", 0, "a header in JSON")]
    [InlineData("""[1]""", 0, "begins with '{'")]
    [InlineData("""{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}}}""", 0, "a header in JSON")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "a header in JSON")]
    public void Open_RefusesAHeaderThatIsWrong(string header, int dataLength, string message) =>
        Assert.Contains(message, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(Raw(header, dataLength))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(100_000_001UL)]
    [InlineData(1000UL)]
    public void Open_RefusesAHeaderLongerThanTheFile(ulong claimed)
    {
        byte[] bytes = new byte[100];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, claimed);
        string path = _folder.File("long.safetensors");
        File.WriteAllBytes(path, bytes);
        Assert.Contains($"{claimed}", Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(30)]
    [InlineData(70)]
    public void Open_RefusesATruncatedFile(int length)
    {
        string path = Raw(One("F32", "4", 0, 16), 16);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..length]);
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer: the file itself was not fetched")]
    [InlineData("GGUF\u0003\0\0\0\u0001\0\0\0\0\0\0\0", "a GGUF file")]
    [InlineData("<!DOCTYPE html>\n<html><head>", "an HTML page")]
    [InlineData("{\"error\":\"Repository not found\"}", "the answer of a server")]
    [InlineData("Entry not found", "plain text: 'Entry not found'")]
    [InlineData("PK\u0003\u0004\0\0archive/data.pkl", "a pickle zipped")]
    [InlineData("", "an empty file")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0", "bytes of zero alone")]
    public void Open_NamesAnotherKindOfFile(string content, string kind)
    {
        string path = _folder.File("a.safetensors");
        File.WriteAllText(path, content);
        SafetensorsException e = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
        Assert.Equal(path, e.File);
        string message = e.Message.Replace(", with a header that begins with '{'", "", StringComparison.Ordinal);
        Assert.Contains($"expected a safetensors file, found {kind}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_RefusesAFolder() => Assert.Throws<IOException>(() => SafetensorsFile.Open(_folder.Path));

    [Fact]
    public void Entry_NamesTheTensorThatIsMissing()
    {
        using SafetensorsFile file = SafetensorsFile.Open(Raw(One("F32", "1", 0, 4), 4));
        Assert.Equal("b", Assert.Throws<SafetensorsException>(() => file.Entry("b")).Tensor);
    }

    [Fact]
    public void Bytes_RefusesAfterDispose()
    {
        SafetensorsFile file = SafetensorsFile.Open(Raw(One("F32", "1", 0, 4), 4));
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Bytes("a").Length);
    }

    private static string One(string dtype, string shape, long begin, long end) =>
        $$$"""{"a":{"dtype":"{{{dtype}}}","shape":[{{{shape}}}],"data_offsets":[{{{begin}}},{{{end}}}]}}""";

    /// <summary>A file with this header and so many bytes 0, 1, 2 … after it.</summary>
    private string Raw(string header, int dataLength)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        byte[] bytes = new byte[8 + text.Length + dataLength];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)text.Length);
        text.CopyTo(bytes, 8);
        for (int i = 0; i < dataLength; i++)
        {
            bytes[8 + text.Length + i] = (byte)i;
        }
        string path = _folder.File("raw.safetensors");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
