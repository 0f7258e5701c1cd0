using System.Security.Cryptography;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Dsd.Onnx.Tests.Export;

public class OnnxExporterTests
{
    private static readonly string Model = Fixtures.Path("tiny-flux");
    private static readonly OnnxExportOptions Student = new() { ReleaseFolder = Fixtures.Path("tiny-dsd") };
    private static readonly string Lora = Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors");

    [Fact]
    public void Export_WritesAFolderThatOpens()
    {
        using TemporaryFolder temporary = new();

        OnnxExporter.Export(Model, null, temporary.File("onnx"));

        OnnxModelFolder folder = OnnxModelFolder.Open(temporary.File("onnx"));
        Assert.False(folder.IsConditional);
        Assert.Empty(folder.Adapters);
        Assert.Equal(["onnx"], Directory.EnumerateFileSystemEntries(temporary.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Export_WithARelease_IsConditional()
    {
        using TemporaryFolder temporary = new();

        OnnxExporter.Export(Model, new LoraUse(Lora), temporary.File("onnx"), Student);

        OnnxModelFolder folder = OnnxModelFolder.Open(temporary.File("onnx"));
        Assert.True(folder.IsConditional);
        Assert.Equal([new("pytorch_lora_weights.safetensors", 1)], folder.Adapters);
    }

    [Fact]
    public void Export_WithALoraThatHoldsTheConditionLayer_IsConditional()
    {
        using TemporaryFolder temporary = new();
        string adapter = LoraWithCondition(temporary);

        OnnxExporter.Export(Model, new LoraUse(adapter), temporary.File("onnx"));

        Assert.True(OnnxModelFolder.Open(temporary.File("onnx")).IsConditional);
    }

    [Fact]
    public void Export_WithALoraInMemory_WritesWhatItsFileGives()
    {
        using TemporaryFolder temporary = new();
        using LoraAdapter adapter = LoraAdapter.Load(File.ReadAllBytes(Lora), "the trained adapter");

        OnnxExporter.Export(Model, new LoraUse(Lora, 0.5f), temporary.File("file"), Student);
        OnnxExporter.Export(Model, new LoraUse(adapter, 0.5f), temporary.File("memory"), Student with { LoraName = Path.GetFileName(Lora) });
        OnnxExporter.Export(Model, new LoraUse(adapter, 0.5f), temporary.File("named"), Student with { LoraName = "mine" });

        Assert.Equal([new("mine", 0.5f)], OnnxModelFolder.Open(temporary.File("named")).Adapters);
        Assert.Equal([new(Path.GetFileName(Lora), 0.5f)], OnnxModelFolder.Open(temporary.File("file")).Adapters);
        string[] files = [.. Directory.EnumerateFiles(temporary.File("file"), "model.onnx*", SearchOption.AllDirectories)];
        string Other(string file) => file.Replace(temporary.File("file"), temporary.File("memory"), StringComparison.Ordinal);
        Assert.All(files, f => Assert.Equal(File.ReadAllBytes(f), File.ReadAllBytes(Other(f))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256_000_000)]
    public void Export_GivesTheSameBytesEachTime_AndTheirHashes(long mostBytesInside)
    {
        using TemporaryFolder temporary = new();
        OnnxExportOptions options = Student with { MostBytesInside = mostBytesInside };

        OnnxExporter.Export(Model, new LoraUse(Lora), temporary.File("one"), options);
        OnnxExporter.Export(Model, new LoraUse(Lora), temporary.File("two"), options);

        Assert.Equal(Hashes(temporary.File("one"), but: "none"), Hashes(temporary.File("two"), but: "none"));
        OnnxModelFolder folder = OnnxModelFolder.Open(temporary.File("one"));
        Assert.Equal(mostBytesInside == 0, folder.Files.ContainsKey("transformer/model.onnx.data"));
        Assert.Equal(Hashes(temporary.File("one"), but: "dsd.json"), folder.Hashes.OrderBy(h => h.Key, StringComparer.Ordinal));
        folder.CheckHashes();
    }

    [Fact]
    public void Export_SaysWhatItWasMadeOf_WithoutTheWayThere()
    {
        using TemporaryFolder temporary = new();
        OnnxExporter.Export(Model, new LoraUse(Lora, 0.5f), temporary.File("onnx"), Student);

        OnnxModelFolder folder = OnnxModelFolder.Open(temporary.File("onnx"));
        Assert.Equal(("tiny-flux", "tiny-dsd"), (folder.Source.Model, folder.Source.Release));
        Assert.Equal(ModelWriter.ProducerVersion, folder.ToolVersion);
        Assert.Equal(
            ["lora/pytorch_lora_weights.safetensors", "text_encoder/model.safetensors", "text_encoder_2/model.safetensors",
             "transformer/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"],
            folder.Source.Headers.Keys);
        byte[] weights = File.ReadAllBytes(Fixtures.Path("tiny-dsd", "transformer", "diffusion_pytorch_model.safetensors"));
        string header = Convert.ToHexStringLower(SHA256.HashData(weights.AsSpan(8, BitConverter.ToInt32(weights))));
        Assert.Equal(header, folder.Source.Headers["transformer/diffusion_pytorch_model.safetensors"]);
        Assert.DoesNotContain(temporary.Path, File.ReadAllText(temporary.File("onnx", "dsd.json")), StringComparison.Ordinal);
        Assert.DoesNotContain(Path.GetDirectoryName(Model)!, File.ReadAllText(temporary.File("onnx", "dsd.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Export_WritesIntoEachModelWhatItWasMadeOf()
    {
        using TemporaryFolder temporary = new();
        OnnxExporter.Export(Model, new LoraUse(Lora, 0.5f), temporary.File("onnx"), Student);

        Dictionary<string, string> Metadata(string component)
        {
            using InferenceSession session = new(temporary.File("onnx", component, "model.onnx"));
            return session.ModelMetadata.CustomMetadataMap;
        }
        Dictionary<string, string> transformer = Metadata("transformer");
        Assert.Equal("tiny-flux", transformer["source"]);
        Assert.Equal($"Dsd.MLNet {ModelWriter.ProducerVersion}", transformer["tool"]);
        Assert.Equal("pytorch_lora_weights.safetensors, strength 0.5", transformer["adapter"]);
        Assert.All(
            ["vae_encoder", "vae_decoder", "text_encoder", "text_encoder_2"],
            component => Assert.Equal(["source", "tool"], Metadata(component).Keys.Order()));
    }

    [Fact]
    public void Export_RefusesALoraAtAStrengthThatNoNumberHolds_AndLeavesNothing()
    {
        using TemporaryFolder temporary = new();
        string file = temporary.File("lora.safetensors");
        using (torch.Tensor a = torch.full([1, 32], 1e19f))
        using (torch.Tensor b = torch.full([64, 1], 1e19f))
        {
            SafetensorsWriter.Write(
                file, new Dictionary<string, torch.Tensor> { ["transformer.proj_out.lora_A.weight"] = a, ["transformer.proj_out.lora_B.weight"] = b }, null);
        }

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxExporter.Export(Model, new LoraUse(file, 100), temporary.File("onnx")));

        Assert.Equal(file, e.File);
        Assert.Contains("'proj_out.weight' once the adapter is merged", e.Message, StringComparison.Ordinal);
        Assert.Equal(["lora.safetensors"], Directory.EnumerateFileSystemEntries(temporary.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Export_RefusesALora_ThatAdaptsWhatTheModelLacks()
    {
        using TemporaryFolder temporary = new();
        string file = temporary.File("lora.safetensors");
        using (torch.Tensor a = torch.zeros(1, 8))
        using (torch.Tensor b = torch.zeros(8, 1))
        {
            SafetensorsWriter.Write(
                file, new Dictionary<string, torch.Tensor> { ["transformer.nowhere.lora_A.weight"] = a, ["transformer.nowhere.lora_B.weight"] = b }, null);
        }

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxExporter.Export(Model, new LoraUse(file), temporary.File("onnx")));

        Assert.Contains("'nowhere'", e.Message);
        Assert.False(Directory.Exists(temporary.File("onnx")));
    }

    [Fact]
    public void Export_LeavesAnEarlierExportAlone_UnlessToldToReplaceIt()
    {
        using TemporaryFolder temporary = new();
        OnnxExporter.Export(Model, null, temporary.File("onnx"));

        IOException e = Assert.Throws<IOException>(() => OnnxExporter.Export(Model, new LoraUse(Lora), temporary.File("onnx"), Student));
        Assert.Contains(nameof(OnnxExportOptions.Overwrite), e.Message);

        OnnxExporter.Export(Model, new LoraUse(Lora), temporary.File("onnx"), Student with { Overwrite = true });
        Assert.True(OnnxModelFolder.Open(temporary.File("onnx")).IsConditional);
    }

    [Fact]
    public void Export_NeverReplacesAFolderOfOtherFiles()
    {
        using TemporaryFolder temporary = new();
        File.WriteAllText(temporary.File("mine.txt"), "mine");

        Assert.Throws<IOException>(() => OnnxExporter.Export(Model, null, temporary.Path, new OnnxExportOptions { Overwrite = true }));

        Assert.Equal("mine", File.ReadAllText(temporary.File("mine.txt")));
    }

    [Fact]
    public void Export_NamesTheTarget_WhereNoFolderCanBe()
    {
        using TemporaryFolder temporary = new();
        File.WriteAllText(temporary.File("file"), "");

        IOException e = Assert.Throws<IOException>(() => OnnxExporter.Export(Model, null, temporary.File("file", "onnx")));

        Assert.Contains(temporary.File("file", "onnx"), e.Message);
    }

    [Theory]
    [InlineData("transformer")]
    [InlineData("vae_decoder")]
    [InlineData("text_encoder_2")]
    public void Export_LeavesNothing_WhenCancelled(string part)
    {
        using TemporaryFolder temporary = new();
        using CancellationTokenSource source = new();

        Assert.ThrowsAny<OperationCanceledException>(() =>
            OnnxExporter.Export(Model, null, temporary.File("onnx"), cancellationToken: source.Token, progress: new At(part, source.Cancel)));

        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary.Path));
    }

    [Fact]
    public void Export_LeavesNothing_WhenWeightsAreMissing()
    {
        using TemporaryFolder model = TemporaryFolder.CopyOf(Model);
        using TemporaryFolder target = new();
        foreach (string weights in Directory.GetFiles(model.File("text_encoder_2"), "*.safetensors*"))
        {
            File.Delete(weights);
        }

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxExporter.Export(model.Path, null, target.File("onnx")));

        Assert.Contains("text_encoder_2", e.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.Path));
    }

    [Fact]
    public void Export_ListsTensors_ThatDoNotFitTheConfig()
    {
        using TemporaryFolder model = TemporaryFolder.CopyOf(Model);
        using TemporaryFolder target = new();
        File.Copy(
            Fixtures.Path("tiny-dsd", "transformer", "diffusion_pytorch_model.safetensors"),
            model.File("transformer", "diffusion_pytorch_model.safetensors"),
            overwrite: true);

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxExporter.Export(model.Path, null, target.File("onnx")));

        Assert.Contains("unexpected 'c_embedder.weight'", e.Message);
        Assert.Contains("unexpected 'c_embedder.bias'", e.Message);
    }

    [Fact]
    public void Export_RefusesANameOfALora_WithoutALora()
    {
        using TemporaryFolder target = new();

        Assert.Throws<ArgumentException>(() => OnnxExporter.Export(Model, null, target.File("onnx"), new OnnxExportOptions { LoraName = "mine" }));
    }

    [Fact]
    public void Export_RefusesParts_ThatDoNotFitTogether()
    {
        using TemporaryFolder model = TemporaryFolder.CopyOf(Model);
        using TemporaryFolder target = new();
        string config = model.File("transformer", "config.json");
        File.WriteAllText(
            config, System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(config), "\"joint_attention_dim\": \\d+", "\"joint_attention_dim\": 12345"));

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxExporter.Export(model.Path, null, target.File("onnx")));

        Assert.Contains("joint_attention_dim 12345", e.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.Path));
    }

    private static KeyValuePair<string, string>[] Hashes(string folder, string but) =>
    [
        .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(f => KeyValuePair.Create(
                Path.GetRelativePath(folder, f).Replace('\\', '/'), Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f)))))
            .Where(f => f.Key != but).OrderBy(f => f.Key, StringComparer.Ordinal),
    ];

    private static string LoraWithCondition(TemporaryFolder temporary)
    {
        string file = temporary.File("with-condition.safetensors");
        using WeightSource lora = WeightSource.Open(Lora);
        using WeightSource release = WeightSource.Open(Fixtures.Path("tiny-dsd", "transformer"));
        Dictionary<string, torch.Tensor> tensors = lora.Names.ToDictionary(n => n, lora.Read);
        foreach (string name in new[] { "c_embedder.weight", "c_embedder.bias" })
        {
            tensors.Add($"transformer.{name}", release.Read(name));
        }
        SafetensorsWriter.Write(file, tensors, lora.Metadata);
        return file;
    }

    private sealed class At(string part, Action act) : IProgress<string>
    {
        public void Report(string value)
        {
            if (value == part)
            {
                act();
            }
        }
    }
}
