using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Testing;

namespace Dsd.Models.Tests.Weights;

public sealed class ModelFolderTests : IDisposable
{
    private const string Clip = """{"architectures":["CLIPTextModel"],"vocab_size":20,"hidden_size":8,"intermediate_size":16"""
        + ""","num_hidden_layers":2,"num_attention_heads":2,"eos_token_id":2,"new_field":[1]}""";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_TakesAFluxPipeline()
    {
        ModelFolder folder = ModelFolder.Open(Fixtures.Path("tiny-flux"));
        Assert.True(folder.Has("vae"));
        Assert.Equal(Fixtures.Path("tiny-flux", "vae"), folder.ComponentFolder("vae"));
    }

    [Fact]
    public void Open_RefusesAnotherPipeline()
    {
        Write("model_index.json", """{"_class_name":"StableDiffusionPipeline"}""");
        WeightsException e = Assert.Throws<WeightsException>(() => ModelFamilies.Open(_folder.Path));
        Assert.Contains("expected _class_name FluxPipeline or", e.Message, StringComparison.Ordinal);
        Assert.Contains("found 'StableDiffusionPipeline'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NamesAMissingIndex() =>
        Assert.Equal(_folder.File("model_index.json"), Assert.Throws<WeightsException>(() => ModelFolder.Open(_folder.Path)).File);

    [Fact]
    public void Open_NamesAMissingFolder() =>
        Assert.Contains(
            "nowhere", Assert.Throws<DirectoryNotFoundException>(() => ModelFolder.Open(_folder.File("nowhere"))).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_NamesTheKindOfAFileInPlaceOfAFolder()
    {
        Write("model.gguf", "GGUF\u0003\0\0\0");
        Assert.Contains(
            "found a GGUF file",
            Assert.Throws<DirectoryNotFoundException>(() => ModelFolder.Open(_folder.File("model.gguf"))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"error":"Entry not found"}""", "the answer of a server in place of the file")]
    [InlineData("<!doctype html><html>", "an HTML page")]
    [InlineData("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer")]
    [InlineData("""{"_class_name":7}""", "a value of another kind than is needed at '$._class_name' in line 1")]
    public void Open_NamesWhatIsNoIndex(string content, string message)
    {
        Write("model_index.json", content);
        WeightsException e = Assert.Throws<WeightsException>(() => ModelFolder.Open(_folder.Path));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Model_LoadsWithByteOrderMarks_AndTokenizersInOneFile()
    {
        using TemporaryFolder copy = TemporaryFolder.CopyOf(Fixtures.Own("tiny-flux"));
        foreach (string file in new[] { "tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer_2/spiece.model" })
        {
            File.Delete(copy.File(file));
        }
        foreach (string file in Directory.EnumerateFiles(copy.Path, "*.json", SearchOption.AllDirectories))
        {
            File.WriteAllText(file, File.ReadAllText(file), new System.Text.UTF8Encoding(true));
        }
        using FluxModel marked = (FluxModel)DiffusionModel.Load(copy.Path);
        using FluxModel plain = (FluxModel)DiffusionModel.Load(Fixtures.Own("tiny-flux"));
        Assert.Equal(plain.Transformer.Config.NumLayers, marked.Transformer.Config.NumLayers);
    }

    [Fact]
    public void OpenParts_TakesAReleaseWithoutIndex() =>
        Assert.True(ModelFolder.OpenParts(Fixtures.Path("tiny-dsd")).Has("transformer"));

    [Fact]
    public void ComponentFolder_TellsWhichComponentsThereAre()
    {
        WeightsException e = Assert.Throws<WeightsException>(() => ModelFolder.OpenParts(Fixtures.Path("tiny-dsd")).ComponentFolder("vae"));
        Assert.Contains("expected a subfolder 'vae', found transformer", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadConfig_SkipsFieldsThatItDoesNotKnow()
    {
        Write("text_encoder/config.json", Clip);
        Assert.Equal(20, Read().VocabSize);
    }

    [Theory]
    [InlineData("CLIPTextModel", "CLIPVisionModel", "CLIPVisionModel")]
    [InlineData("\"architectures\":[\"CLIPTextModel\"],", "", "no _class_name")]
    [InlineData("\"vocab_size\":20,", "", "vocab_size")]
    [InlineData("\"vocab_size\":20", "\"vocab_size\":-20", "vocab_size")]
    [InlineData("\"vocab_size\":20", "\"vocab_size\":2e10", "vocab_size")]
    [InlineData("\"vocab_size\":20", "\"vocab_size\":\"20\"", "vocab_size")]
    [InlineData("\"vocab_size\":20", "\"vocab_size\":20,\"vocab_size\":21", "vocab_size")]
    [InlineData("\"hidden_size\":8", "\"hidden_size\":9", "a multiple of num_attention_heads (2), but is 9")]
    [InlineData("\"eos_token_id\":2", "\"eos_token_id\":20", "below vocab_size (20), but is 20")]
    [InlineData("\"eos_token_id\":2", "\"eos_token_id\":2,\"hidden_act\":\"swish\"", "quick_gelu or gelu, but is swish")]
    [InlineData("\"eos_token_id\":2", "\"eos_token_id\":2,\"hidden_act\":null", "hidden_act")]
    [InlineData("{\"", "[\"", "JSON")]
    public void ReadConfig_RefusesAConfigThatIsWrong(string part, string instead, string message)
    {
        Write("text_encoder/config.json", Clip.Replace(part, instead, StringComparison.Ordinal));
        WeightsException e = Assert.Throws<WeightsException>(Read);
        Assert.Equal(_folder.File("text_encoder", "config.json"), e.File);
        Assert.Contains(message, e.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void ReadConfig_NamesAMissingFile()
    {
        Directory.CreateDirectory(_folder.File("text_encoder"));
        Assert.Equal(_folder.File("text_encoder", "config.json"), Assert.Throws<WeightsException>(Read).File);
    }

    [Fact]
    public void ReadConfig_RefusesAFileTooLargeForAConfig()
    {
        Write("text_encoder/config.json", new string(' ', 4_000_001));
        Assert.Contains("4000000 bytes", Assert.Throws<WeightsException>(Read).Message, StringComparison.Ordinal);
    }

    private ClipTextConfig Read() => ModelFolder.OpenParts(_folder.Path).ReadConfig<ClipTextConfig>("text_encoder", "config.json", "CLIPTextModel");

    private void Write(string file, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(file))!);
        File.WriteAllText(_folder.File(file), content);
    }
}
