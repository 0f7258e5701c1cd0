using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;

namespace Dsd.Tools.Tests.Inspect;

public sealed class InspectWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("flux-transformer", "tiny-flux", "transformer", "diffusion_pytorch_model.safetensors")]
    [InlineData("dsd-transformer", "tiny-dsd", "transformer", "diffusion_pytorch_model.safetensors")]
    [InlineData("autoencoder", "tiny-flux", "vae", "diffusion_pytorch_model.safetensors")]
    [InlineData("clip-text", "tiny-flux", "text_encoder", "model.safetensors")]
    [InlineData("t5-encoder", "tiny-flux", "text_encoder_2", "model.safetensors")]
    [InlineData("lora", "tiny-dsd", "pytorch_lora_weights.safetensors")]
    [InlineData("unknown", "vae.safetensors")]
    public async Task Inspect_RecognisesWhoseWeightsTheyAre(string kind, params string[] file)
    {
        JsonElement report = await Cli.Json("inspect", Fixtures.Own(file));

        Assert.Equal(kind, report.GetProperty("kind").GetString());
    }

    [Fact]
    public async Task Inspect_ReadsAnAdaptersRankAndAlpha()
    {
        string file = Fixtures.Own("tiny-dsd", "pytorch_lora_weights.safetensors");
        JsonElement lora = (await Cli.Json("inspect", file)).GetProperty("lora");
        JsonElement stated = Metadata(file);

        Assert.Equal(stated.GetProperty("transformer.r").GetInt64(), lora.GetProperty("ranks")[0].GetInt64());
        Assert.Equal(stated.GetProperty("transformer.lora_alpha").GetDouble(), lora.GetProperty("alpha").GetDouble());
    }

    [Theory]
    [InlineData("lora-kohya", "lora_unet_double_blocks_0_img_attn_proj", ".lora_down.weight", ".lora_up.weight")]
    [InlineData("lora-black-forest-labs", "diffusion_model.double_blocks.0.img_attn.proj", ".lora_A.weight", ".lora_B.weight")]
    public async Task Inspect_KnowsOtherNamesOfAdapters_AndTheirAlpha(string kind, string module, string a, string b)
    {
        using TemporaryFolder folder = new();
        using (torch.Tensor factor = torch.ones(4, 4))
        using (torch.Tensor alpha = torch.tensor(1f))
        {
            SafetensorsWriter.Write(folder.File("lora.safetensors"), new Dictionary<string, torch.Tensor>
            {
                [module + a] = factor,
                [module + b] = factor,
                [module + ".alpha"] = alpha,
            });
        }

        JsonElement report = await Cli.Json("inspect", folder.File("lora.safetensors"));

        Assert.Equal(kind, report.GetProperty("kind").GetString());
        Assert.Equal(1, report.GetProperty("lora").GetProperty("alpha").GetDouble());
        Assert.Equal(4, report.GetProperty("lora").GetProperty("ranks")[0].GetInt64());
        Assert.DoesNotContain("convert", report.GetProperty("description").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_OfPeftsFolder_ReadsTheConfigBesideTheFile_AndKnowsKeysWithAnAdaptersName()
    {
        Write("adapter_model.safetensors", "base_model.model.double_blocks.0.img_attn.qkv", ".lora_A.default.weight", ".lora_B.default.weight");
        File.WriteAllText(_folder.File("adapter_config.json"), """{ "peft_type": "LORA", "r": 4, "lora_alpha": 8, "use_rslora": true }""");

        JsonElement report = await Cli.Json("inspect", _folder.File("adapter_model.safetensors"));

        Assert.Equal("lora-black-forest-labs", report.GetProperty("kind").GetString());
        Assert.Equal(16, report.GetProperty("lora").GetProperty("alpha").GetDouble());
        Assert.Equal(("yes", 1), (report.GetProperty("lora").GetProperty("loads").GetString(), report.GetProperty("lora").GetProperty("pairs").GetInt32()));
    }

    [Theory]
    [InlineData("yes", "proj_out", ".lora_A.weight", ".lora_B.weight")]
    [InlineData("by choice", "lora_te1_text_model_encoder_layers_0_mlp_fc1", ".lora_down.weight", ".lora_up.weight")]
    [InlineData("by choice", "text_encoder.text_model.encoder.layers.0.mlp.fc1", ".lora_A.weight", ".lora_B.weight")]
    [InlineData("no", "proj_out", ".lora_A.weight", ".lora_B.bias")]
    [InlineData("no", "proj_out", ".lokr_w1", ".lokr_w2")]
    [InlineData("no", "lora_unet_double_blocks_0_img_attn_proj", ".lora_down.weight", ".dora_scale")]
    public async Task Inspect_AndTheLoader_AgreeOnWhatLoads(string loads, string module, string a, string b)
    {
        Write("adapter.safetensors", module, a, b);

        JsonElement report = await Cli.Json("inspect", _folder.File("adapter.safetensors"));

        Assert.Equal(loads, report.GetProperty("lora").GetProperty("loads").GetString());
        Assert.Equal(loads == "yes", Loads(LoraTextEncoders.Refuse));
        Assert.Equal(loads != "no", Loads(LoraTextEncoders.Apply));
        Assert.Equal(loads == "yes", report.GetProperty("warnings").GetArrayLength() == 0);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public async Task Inspect_OfAnAdapterWithNumbersThatAreNone_SaysThatItDoesNotLoad(float number)
    {
        Write("adapter.safetensors", "proj_out", ".lora_A.weight", ".lora_B.weight", number);

        JsonElement report = await Cli.Json("inspect", _folder.File("adapter.safetensors"));

        Assert.Equal("no", report.GetProperty("lora").GetProperty("loads").GetString());
        Assert.Contains("proj_out.lora_A.weight", report.GetProperty("warnings")[0].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flux-transformer-single-file", "diffusion_model.double_blocks.0.img_attn.qkv.weight")]
    [InlineData("autoencoder-single-file", "encoder.conv_in.weight", "decoder.conv_in.weight", "encoder.down.0.block.0.conv1.weight")]
    public async Task Inspect_KnowsSingleFilesByTheirNames(string kind, params string[] names)
    {
        using TemporaryFolder folder = new();
        using (torch.Tensor one = torch.ones(1, 1, 1, 1))
        {
            SafetensorsWriter.Write(folder.File("single.safetensors"), names.ToDictionary(n => n, _ => one));
        }

        Assert.Equal(kind, (await Cli.Json("inspect", folder.File("single.safetensors"))).GetProperty("kind").GetString());
    }

    [Fact]
    public async Task Inspect_ReadsSizesFromShapes()
    {
        JsonElement facts = (await Cli.Json("inspect", Fixtures.Own("tiny-flux", "transformer", "diffusion_pytorch_model.safetensors"))).GetProperty("facts");
        using JsonDocument config = JsonDocument.Parse(File.ReadAllText(Fixtures.Own("tiny-flux", "transformer", "config.json")));

        Assert.All(
            ["num_layers", "num_single_layers", "in_channels", "attention_head_dim", "joint_attention_dim", "pooled_projection_dim"],
            size => Assert.Equal(config.RootElement.GetProperty(size).GetInt64(), facts.GetProperty(size).GetInt64()));
    }

    [Fact]
    public async Task Inspect_CountsParametersAndBytes()
    {
        string file = _folder.File("a.safetensors");
        SafetensorsBytes.Write(file, ("a", [2, 3]), ("b", [4]));

        JsonElement report = await Cli.Json("inspect", file);

        Assert.Equal((2, 10, 40),
            (report.GetProperty("tensor_count").GetInt32(), report.GetProperty("parameters").GetInt64(), report.GetProperty("bytes").GetInt64()));
    }

    [Fact]
    public async Task Inspect_PutsRepeatedBlocksTogether()
    {
        string file = _folder.File("a.safetensors");
        SafetensorsBytes.Write(file, [.. Enumerable.Range(0, 12).Select(i => ($"blocks.{i}.net.0.weight", new long[] { 2, 2 }))]);

        CliResult result = await Cli.Run("inspect", file);

        Assert.Contains("blocks.{0-11}.net.0.weight  F32  [2, 2]  ×12", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_KeepsBlocksOfDifferentShapesApart()
    {
        string file = _folder.File("a.safetensors");
        SafetensorsBytes.Write(file, ("a.0.b.0.w", [2]), ("a.0.b.1.w", [2]), ("a.1.b.1.w", [2]), ("a.1.b.0.w", [3]));

        JsonElement report = await Cli.Json("inspect", file);

        Assert.Equal(["a.0.b.0.w", "a.{0-1}.b.1.w", "a.1.b.0.w"],
            report.GetProperty("tensors").EnumerateArray().Select(t => t.GetProperty("names").GetString()!));
    }

    [Fact]
    public async Task Inspect_WithAll_ListsEachTensorInNaturalOrder()
    {
        string file = _folder.File("a.safetensors");
        SafetensorsBytes.Write(file, ("a.10.w", [1]), ("a.2.w", [1]));

        JsonElement report = await Cli.Json("inspect", file, "--all");

        Assert.Equal(["a.2.w", "a.10.w"], report.GetProperty("tensors").EnumerateArray().Select(t => t.GetProperty("names").GetString()!));
    }

    [Fact]
    public async Task Inspect_BoundsItsOutput()
    {
        string file = _folder.File("a.safetensors");
        SafetensorsBytes.Write(file, [.. Enumerable.Range(0, 5000).Select(i => ($"tensor_{i}", new long[] { 1 }))]);

        CliResult result = await Cli.Run("inspect", file);

        Assert.InRange(result.Output.Split('\n').Length, 100, 200);
        Assert.Contains("--all", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_PrintsNoControlCharactersFromNames()
    {
        string file = _folder.File("a.safetensors");
        SafetensorsBytes.Write(file, ("red\u001b[31m\r\nname", [1]));

        CliResult result = await Cli.Run("inspect", file);

        Assert.DoesNotContain('\u001b', result.Output);
        Assert.Contains("red [31m name", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_WarnsOfAHalfPair()
    {
        string file = _folder.File("a.safetensors");
        SafetensorsBytes.Write(file, ("transformer.proj_out.lora_A.weight", [4, 8]));

        CliResult result = await Cli.Run("inspect", file);

        Assert.Contains("warning: 1 tensors without a partner: transformer.proj_out.lora_A.weight", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_RefusesATruncatedFile()
    {
        string file = _folder.File("a.safetensors");
        byte[] whole = File.ReadAllBytes(Fixtures.Own("tiny-flux", "vae", "diffusion_pytorch_model.safetensors"));
        File.WriteAllBytes(file, whole[..^100]);

        (await Cli.Run("inspect", file)).AssertFails(ExitCode.Failed, file, "truncated");
    }

    [Fact]
    public async Task Inspect_RefusesWhatIsNotThere() =>
        (await Cli.Run("inspect", _folder.File("none.safetensors"))).AssertFails(ExitCode.Failed, "none.safetensors", "nothing there");

    private bool Loads(LoraTextEncoders choice)
    {
        try
        {
            LoraAdapter.Load(_folder.File("adapter.safetensors"), choice).Dispose();
            return true;
        }
        catch (WeightsException)
        {
            return false;
        }
    }

    private void Write(string file, string module, string a, string b, float number = 1)
    {
        bool isFused = module.EndsWith("qkv", StringComparison.Ordinal);
        using torch.Tensor first = torch.full([4, 4], number);
        using torch.Tensor second = torch.ones(isFused ? 12 : 4, 4);
        SafetensorsWriter.Write(_folder.File(file), new Dictionary<string, torch.Tensor> { [module + a] = first, [module + b] = second });
    }

    private static JsonElement Metadata(string file)
    {
        using Models.Weights.SafetensorsFile weights = Models.Weights.SafetensorsFile.Open(file);
        using JsonDocument document = JsonDocument.Parse(weights.Metadata["lora_adapter_metadata"]);
        return document.RootElement.Clone();
    }
}
