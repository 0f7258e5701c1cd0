using System.Text.Json.Nodes;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Testing;

namespace Dsd.Onnx.Tests.Runtime;

public class OnnxModelFolderTests
{
    [Fact]
    public void Open_SaysWhatAnOnnxFolderIs_WhereThereIsNone()
    {
        using TemporaryFolder temporary = new();

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(temporary.Path));

        Assert.Contains("dsd.json", e.Message);
        Assert.Contains(temporary.Path, e.Message);
    }

    [Fact]
    public void Open_NamesAFileThatIsMissing()
    {
        using TemporaryFolder temporary = Exported();
        File.Delete(temporary.File("tokenizer", "vocab.json"));

        Assert.Contains("vocab.json", Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(temporary.Path)).Message);
    }

    [Fact]
    public void Open_NamesAModelThatIsCutShort()
    {
        using TemporaryFolder temporary = Exported();
        string file = temporary.File("vae_decoder", "model.onnx");
        using (FileStream stream = File.OpenWrite(file))
        {
            stream.SetLength(stream.Length / 2);
        }

        Assert.Contains(file, Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(temporary.Path)).Message);
    }

    [Fact]
    public void Open_RefusesAnotherVersion()
    {
        using TemporaryFolder temporary = Exported();
        string file = temporary.File("dsd.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace($"\"format_version\": {OnnxManifest.Version}", "\"format_version\": 99"));

        string message = Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(temporary.Path)).Message;

        Assert.Contains("99", message);
        Assert.Contains(file, message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"format_version\": 3}")]
    [InlineData("{\"format_version\": \"one\"}")]
    public void Open_RefusesADescriptionThatIsNone(string json)
    {
        using TemporaryFolder temporary = Exported();
        File.WriteAllText(temporary.File("dsd.json"), json);

        Assert.Contains("dsd.json", Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(temporary.Path)).Message);
    }

    [Theory]
    [InlineData("../vocab.json")]
    [InlineData("tokenizer/../../vocab.json")]
    [InlineData("/etc/hostname")]
    public void Open_RefusesFilesOfOtherFolders(string name)
    {
        using TemporaryFolder temporary = Exported();
        string file = temporary.File("dsd.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("tokenizer/vocab.json", name, StringComparison.Ordinal));

        Assert.Contains($"'{name}'", Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(temporary.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sha256")]
    [InlineData("source")]
    [InlineData("tool_version")]
    public void Open_RefusesADescriptionThatLacksSomething(string name)
    {
        using TemporaryFolder temporary = Exported();
        JsonObject description = JsonNode.Parse(File.ReadAllText(temporary.File("dsd.json")))!.AsObject();
        Assert.True(description.Remove(name));
        File.WriteAllText(temporary.File("dsd.json"), description.ToJsonString());

        Assert.Contains(name, Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(temporary.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vae_decoder/model.onnx")]
    [InlineData("tokenizer/vocab.json")]
    public void CheckHashes_NamesAFileOfTheSameLengthInWhichABitIsOther(string name)
    {
        using TemporaryFolder temporary = Exported();
        OnnxModelFolder folder = OnnxModelFolder.Open(temporary.Path);
        string file = temporary.File(name.Split('/'));
        byte[] bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(file, bytes);

        WeightsException e = Assert.Throws<WeightsException>(() => folder.CheckHashes());

        Assert.Equal(file, e.File);
        Assert.Contains(folder.Hashes[name], e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"vae_decoder/model.onnx\"", "\"elsewhere\"")]
    [InlineData("\"vae_decoder/model.onnx\": \"", "\"vae_decoder/model.onnx\": \"x")]
    [InlineData("\"sha256\": {", "\"sha256\": { \"more\": \"\",")]
    public void Open_RefusesHashesThatAreNoneOrNotOfItsFiles(string old, string changed)
    {
        using TemporaryFolder temporary = Exported();
        string description = File.ReadAllText(temporary.File("dsd.json"));
        int hashes = description.IndexOf("\"sha256\"", StringComparison.Ordinal);
        File.WriteAllText(temporary.File("dsd.json"), description[..hashes] + description[hashes..].Replace(old, changed, StringComparison.Ordinal));

        Assert.Contains("SHA-256", Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(temporary.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pipeline_NamesAModelThatOnnxRuntimeCannotOpen()
    {
        using TemporaryFolder temporary = Exported();
        string file = temporary.File("text_encoder", "model.onnx");
        File.WriteAllBytes(file, new byte[new FileInfo(file).Length]);
        using OnnxPipeline pipeline = OnnxPipeline.Open(temporary.Path);

        Models.Sampling.TextToImageOptions small = new() { Width = 32, Height = 32, Steps = 1 };
        Assert.Contains(file, Assert.Throws<WeightsException>(() => pipeline.Generate([new("a fox", 1)], small)).Message);
    }

    private static TemporaryFolder Exported()
    {
        TemporaryFolder temporary = new();
        OnnxExporter.Export(Fixtures.Path("tiny-flux"), null, temporary.Path);
        return temporary;
    }
}
