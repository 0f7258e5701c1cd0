using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

/// <summary>Models that are damaged in one place, at every command that reads them: one line that names it, and nothing written.</summary>
public sealed class DamagedModelTests : IDisposable
{
    private static readonly string[] Components = ["transformer", "vae", "text_encoder", "text_encoder_2"];
    private readonly TemporaryFolder _model = TemporaryFolder.CopyOf(Fixtures.Own("tiny-flux"));
    private readonly TemporaryFolder _out = new();

    public void Dispose()
    {
        _model.Dispose();
        _out.Dispose();
    }

    public static TheoryData<string, string> Weights
    {
        get
        {
            TheoryData<string, string> cases = [];
            foreach (string component in Components)
            {
                foreach (string fault in DamagedSafetensors.Faults)
                {
                    cases.Add(component, fault);
                }
            }
            return cases;
        }
    }

    public static TheoryData<string> Faults => [.. DamagedSafetensors.Faults];

    [Theory]
    [MemberData(nameof(Weights))]
    public async Task Export_NamesFileAndTensor(string component, string fault)
    {
        (string file, string tensor) = Damage(component, fault);

        await AssertRefused(file, tensor, "export", "--model", _model.Path, "--out", _out.File("new", "onnx"));
    }

    [Theory]
    [MemberData(nameof(Weights))]
    public async Task Draw_NamesFileAndTensor(string component, string fault)
    {
        (string file, string tensor) = Damage(component, fault);

        await AssertRefused(file, tensor, "generate", "--model", _model.Path, "--prompt", "x", "--steps", "1", "--size", "64x64", "--out",
            _out.File("new", "a.png"));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Export_NamesTheAdaptersFileAndTensor(string fault)
    {
        _model.Add(Fixtures.Own("tiny-dsd"), "dsd");
        string file = _model.File("dsd", "pytorch_lora_weights.safetensors");
        string tensor = DamagedSafetensors.Damage(file, fault);

        // A missing factor is reported by the name of its partner.
        string module = tensor.Split(".lora_")[0].Replace("transformer.transformer", "transformer", StringComparison.Ordinal);
        await AssertRefused(file, module, "export", "--model", Fixtures.Own("tiny-flux"), "--lora", file, "--out", _out.File("new", "onnx"));
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("oversized header")]
    [InlineData("overlapping offsets")]
    public async Task Inspect_NamesFileAndTensor(string fault)
    {
        (string file, string tensor) = Damage("vae", fault);

        await AssertRefused(file, tensor, "inspect", file);
    }

    [Theory]
    [InlineData("model_index.json")]
    [InlineData("transformer/config.json")]
    [InlineData("vae/config.json")]
    [InlineData("text_encoder/config.json")]
    [InlineData("text_encoder_2/config.json")]
    [InlineData("scheduler/scheduler_config.json")]
    [InlineData("tokenizer/vocab.json")]
    [InlineData("tokenizer/merges.txt")]
    [InlineData("tokenizer_2/spiece.model")]
    public async Task ExportAndDraw_NameAMissingFile(string file)
    {
        File.Delete(_model.File(file));
        // A tokenizer's one file stands in for its older ones.
        File.Delete(Path.Combine(Path.GetDirectoryName(_model.File(file))!, "tokenizer.json"));

        await AssertRefusedByBoth(_model.File(file));
    }

    [Theory]
    [InlineData("transformer/config.json", "\"joint_attention_dim\": 32", "\"joint_attention_dim\": 33", "joint_attention_dim")]
    [InlineData("transformer/config.json", "\"pooled_projection_dim\": 24", "\"pooled_projection_dim\": 25", "25")]
    [InlineData("transformer/config.json", "\"in_channels\": 64", "\"in_channels\": 32", "in_channels")]
    [InlineData("transformer/config.json", "\"attention_head_dim\": 16", "\"attention_head_dim\": 18", "attention_head_dim")]
    [InlineData("transformer/config.json", "\"num_layers\": 2", "\"num_layers\": 3", "transformer_blocks.2.")]
    [InlineData("vae/config.json", "\"latent_channels\": 16", "\"latent_channels\": 8", "latent_channels")]
    [InlineData("vae/config.json", "\"norm_num_groups\": 4", "\"norm_num_groups\": 3", "norm_num_groups")]
    [InlineData("text_encoder_2/config.json", "\"vocab_size\": 119", "\"vocab_size\": 100", "vocab_size")]
    [InlineData("text_encoder/config.json", "\"max_position_embeddings\": 77", "\"max_position_embeddings\": 50", "max_position_embeddings")]
    [InlineData("scheduler/scheduler_config.json", "\"max_image_seq_len\": 4096", "\"max_image_seq_len\": 256", "max_image_seq_len")]
    [InlineData("model_index.json", "\"FluxPipeline\"", "\"StableDiffusionPipeline\"", "StableDiffusionPipeline")]
    public async Task ExportAndDraw_NameWhatContradicts(string file, string value, string instead, string named)
    {
        string text = File.ReadAllText(_model.File(file));
        Assert.Contains(value, text, StringComparison.Ordinal);
        File.WriteAllText(_model.File(file), text.Replace(value, instead, StringComparison.Ordinal));

        await AssertRefusedByBoth(named);
    }

    [Theory]
    [InlineData("not an image")]
    [InlineData("60,000 × 60,000")]
    [InlineData("truncated")]
    public async Task Generate_ReadsTheReferenceBeforeTheModel(string fault)
    {
        byte[] bytes = fault switch
        {
            "not an image" => [1, 2, 3],
            "truncated" => Pngs.Noisy(40, 40).EncodePng()[..^100],
            _ => Pngs.Claiming(60_000, 60_000),
        };
        string reference = _model.File("reference.png");
        File.WriteAllBytes(reference, bytes);

        await AssertRefused(reference, "", "generate", "--onnx", _model.Path, "--image", reference, "--prompt", "x", "--out", _out.File("new", "a.png"));
    }

    private (string File, string Tensor) Damage(string component, string fault)
    {
        string file = Assert.Single(Directory.GetFiles(_model.File(component), "*.safetensors"));
        return (file, DamagedSafetensors.Damage(file, fault));
    }

    private async Task AssertRefusedByBoth(string named)
    {
        await AssertRefused(named, "", "export", "--model", _model.Path, "--out", _out.File("new", "onnx"));
        await AssertRefused(named, "", "generate", "--model", _model.Path, "--prompt", "x", "--steps", "1", "--size", "64x64", "--out",
            _out.File("new", "a.png"));
    }

    private async Task AssertRefused(string file, string tensor, params string[] command)
    {
        CliResult result = await Cli.Run(command);

        Assert.Equal((ExitCode.Failed, ""), (result.ExitCode, result.Output));
        // Progress may stand before the error, which is the last line.
        string line = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.StartsWith("dsd: ", line, StringComparison.Ordinal);
        Assert.Contains(file, line, StringComparison.Ordinal);
        Assert.Contains(tensor, line, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_out.Path));
    }
}
