using System.Text;
using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Tools.Tests.Inspect;

/// <summary>Files with element types of all kinds, files that are something else, and tokenizers in their one-file form.</summary>
public sealed class InspectTypesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Inspect_ShowsEveryTypeOfTheFormat()
    {
        (string DType, int Bits)[] types =
        [
            ("BOOL", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("U8", 8), ("I8", 8), ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8),
            ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8), ("I16", 16), ("U16", 16),
            ("F16", 16), ("BF16", 16), ("I32", 32), ("U32", 32), ("F32", 32), ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
        ];
        string file = Write([.. types.Select(t => ($"a.{t.DType}", t.DType, 4, t.Bits / 2))]);

        JsonElement report = await Cli.Json("inspect", file);

        Assert.Equal(types.Select(t => t.DType).Order(StringComparer.Ordinal),
            report.GetProperty("types").EnumerateObject().Select(t => t.Name).Order(StringComparer.Ordinal));
        Assert.All(types, t => Assert.Equal(
            (4, t.Bits / 2),
            (report.GetProperty("types").GetProperty(t.DType).GetProperty("parameters").GetInt32(),
            report.GetProperty("types").GetProperty(t.DType).GetProperty("bytes").GetInt32())));
    }

    [Fact]
    public async Task Inspect_ShowsScalesToo()
    {
        string file = Write(("a.weight", "F8_E4M3", 4, 4), ("a.scale_weight", "F32", 1, 4), ("scaled_fp8", "F8_E4M3", 0, 0));

        Assert.Equal(3, (await Cli.Json("inspect", file)).GetProperty("tensor_count").GetInt32());
    }

    [Theory]
    [InlineData("GGUF\u0003\0\0\0\0\0\0\0", "a GGUF file")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer")]
    [InlineData("<!doctype html><html>", "an HTML page")]
    public async Task Inspect_NamesAnotherKindOfFile(string content, string kind)
    {
        foreach (string name in new[] { "model.safetensors", "model.onnx" })
        {
            File.WriteAllText(_folder.File(name), content);
            (await Cli.Run("inspect", _folder.File(name))).AssertFails(ExitCode.Failed, name, kind);
        }
    }

    [Fact]
    public async Task Inspect_MissesNoFileOfATokenizerInOneFile()
    {
        using TemporaryFolder model = TemporaryFolder.CopyOf(Fixtures.Own("tiny-flux"));
        foreach (string file in new[] { "tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer_2/spiece.model" })
        {
            File.Delete(model.File(file));
        }

        // With byte-order marks, as some editors leave them.
        foreach (string file in Directory.EnumerateFiles(model.Path, "*.json", SearchOption.AllDirectories))
        {
            File.WriteAllText(file, File.ReadAllText(file), new UTF8Encoding(true));
        }

        JsonElement report = await Cli.Json("inspect", model.Path);

        Assert.All(report.GetProperty("components").EnumerateArray(), c => Assert.Empty(c.GetProperty("warnings").EnumerateArray()));
        File.Delete(model.File("tokenizer_2", "tokenizer.json"));
        Assert.Contains("spiece.model", (await Cli.Json("inspect", model.Path)).GetRawText(), StringComparison.Ordinal);
    }

    private string Write(params (string Name, string DType, int Elements, int Bytes)[] tensors)
    {
        Dictionary<string, object> header = [];
        int end = 0;
        foreach ((string name, string dtype, int elements, int bytes) in tensors)
        {
            header[name] = new { dtype, shape = new[] { elements }, data_offsets = new[] { end, end += bytes } };
        }
        byte[] json = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(header));
        string path = _folder.File("types.safetensors");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[end]]);
        return path;
    }
}
