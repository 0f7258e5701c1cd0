using System.Text;
using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Common.Files;
using Dsd.Models.Text;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tools.Doctor;

namespace Dsd.Tools.Tests.Doctor;

public sealed class DoctorTests : IDisposable
{
    private readonly TemporaryFolder _model = TemporaryFolder.CopyOf(TinyModel.Folder);

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task Doctor_OfTheEmbeddedModel_FindsNothingWrong_AndComputesAVelocity()
    {
        CliResult result = await Cli.Run("doctor", "--model", TinyModel.Name, "--json");

        Assert.True(result.ExitCode == ExitCode.Done, result.Output);
        JsonElement[] checks = Checks(result);
        Assert.DoesNotContain(checks, c => Status(c) is Finding.Failed or Finding.Warning);
        Assert.Contains("are finite", Found(checks, "velocity"), StringComparison.Ordinal);
        Assert.Contains("fits the transformer", Found(checks, "adapter: pytorch_lora_weights.safetensors"), StringComparison.Ordinal);
        Assert.Contains("--setting whole fits", Found(checks, "memory: training"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("truncated", "vae")]
    [InlineData("missing tensor", "transformer")]
    [InlineData("wrong dtype", "text_encoder")]
    [InlineData("oversized header", "text_encoder_2")]
    public async Task Doctor_OfDamagedWeights_NamesThePart(string fault, string part)
    {
        DamagedSafetensors.Damage(Assert.Single(Directory.GetFiles(_model.File(part), "*.safetensors")), fault);

        await AssertFails($"weights: {part}", part);
    }

    [Fact]
    public async Task Doctor_OfAWrongShape_NamesTheTensor()
    {
        string config = _model.File("transformer", "config.json");
        string text = File.ReadAllText(config);
        int layers = JsonDocument.Parse(text).RootElement.GetProperty("num_single_layers").GetInt32();
        File.WriteAllText(config, text.Replace($"\"num_single_layers\": {layers}", $"\"num_single_layers\": {layers + 1}", StringComparison.Ordinal));

        await AssertFails("weights: transformer", $"single_transformer_blocks.{layers}.");
        JsonElement[] checks = Checks(await Cli.Run("doctor", "--model", _model.Path, "--quick", "--json"));
        Assert.Contains("num_single_layers", Found(checks, "files: transformer"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_OfAMissingShard_NamesTheFile()
    {
        string folder = _model.File("text_encoder_2"), weights = Assert.Single(Directory.GetFiles(folder, "*.safetensors"));
        string index = Path.Combine(folder, "model.safetensors.index.json");
        File.WriteAllText(index, """{ "metadata": {}, "weight_map": { "shared.weight": "model-00001-of-00002.safetensors" } }""");
        File.Delete(weights);

        await AssertFails("weights: text_encoder_2", "model-00001-of-00002.safetensors");
        await AssertFails("files: text_encoder_2", "model-00001-of-00002.safetensors");
    }

    [Theory]
    [InlineData("tokenizer", "eos_token_id")]
    [InlineData("tokenizer_2", "vocab_size")]
    public async Task Doctor_OfAnotherModelsTokenizer_SaysSo(string part, string expected)
    {
        Directory.Delete(_model.File(part), recursive: true);
        _model.Add(Fixtures.Own("tiny-flux", part), part);

        await AssertFails(part, expected);
    }

    [Fact]
    public async Task Doctor_ComputesAVelocity_ThoughATokenizerIsAnotherModels()
    {
        Directory.Delete(_model.File("tokenizer"), recursive: true);
        _model.Add(Fixtures.Own("tiny-flux", "tokenizer"), "tokenizer");

        JsonElement[] checks = Checks(await Cli.Run("doctor", "--model", _model.Path, "--json"));

        Assert.Equal(["tokenizer"], checks.Where(c => Status(c) == Finding.Failed).Select(Name));
        Assert.Contains("are finite", Found(checks, "velocity"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_OfDamagedWeights_ComputesNoVelocity()
    {
        DamagedSafetensors.Damage(Assert.Single(Directory.GetFiles(_model.File("vae"), "*.safetensors")), "truncated");

        JsonElement velocity = Checks(await Cli.Run("doctor", "--model", _model.Path, "--json")).Single(c => Name(c) == "velocity");

        Assert.Equal(Finding.Skipped, Status(velocity));
    }

    [Fact]
    public async Task Doctor_OfAnotherModelsAdapter_SaysSo()
    {
        string adapter = Fixtures.Own("tiny-dsd", "pytorch_lora_weights.safetensors");

        CliResult result = await Cli.Run("doctor", "--model", _model.Path, "--lora", adapter, "--quick", "--json");

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        JsonElement failed = Assert.Single(Checks(result), c => Status(c) == Finding.Failed);
        Assert.Equal("adapter: pytorch_lora_weights.safetensors", failed.GetProperty("name").GetString());
    }

    [Fact]
    public async Task Doctor_OfNoFolder_SaysWhatIsExpected()
    {
        (await Cli.Run("doctor", "--model", _model.File("nowhere"), "--json")).AssertFails(ExitCode.Failed, "nowhere", "pipeline folder");

        Directory.CreateDirectory(_model.File("empty"));
        CliResult result = await Cli.Run("doctor", "--model", _model.File("empty"), "--quick", "--json");

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains(Checks(result), c => Status(c) == Finding.Failed && c.GetProperty("name").GetString() == "files");
    }

    [Fact]
    public async Task Doctor_OfAGpuWithoutOne_SaysWhatToDo()
    {
        if (CudaLibraries.Driver() is not null)
        {
            return;
        }
        CliResult result = await Cli.Run("doctor", "--model", _model.Path, "--device", "cuda", "--json");

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        JsonElement[] checks = Checks(result);
        Assert.Equal(Finding.Failed, Status(checks.Single(c => Name(c) == "device")));
        Assert.Equal(Finding.Failed, Status(checks.Single(c => Name(c) == "driver")));
        Assert.All(checks.Where(c => Status(c) == Finding.Failed), c => Assert.NotEmpty(c.GetProperty("advice").GetString()!));
    }

    [Fact]
    public async Task Doctor_WithHashes_ComparesWithWhatTheClientNoted()
    {
        string weights = Assert.Single(Directory.GetFiles(_model.File("vae"), "*.safetensors"));
        string note = _model.File(".cache", "huggingface", "download", "vae", $"{Path.GetFileName(weights)}.metadata");
        Directory.CreateDirectory(Path.GetDirectoryName(note)!);
        File.WriteAllText(note, $"main\n{FileHash.Of(weights).Sha256}\n1764201600.0\n");

        JsonElement[] well = Checks(await Cli.Run("doctor", "--model", _model.Path, "--hashes", "--quick", "--json"));
        Assert.Contains("as noted", Found(well, $"hash: {weights}"), StringComparison.Ordinal);
        JsonElement other = well.First(c => Name(c).StartsWith("hash: ", StringComparison.Ordinal) && Name(c) != $"hash: {weights}");
        Assert.Equal(Finding.Skipped, Status(other));

        using (FileStream file = new(weights, FileMode.Open))
        {
            file.Seek(-1, SeekOrigin.End);
            int last = file.ReadByte();
            file.Seek(-1, SeekOrigin.End);
            file.WriteByte((byte)~last);
        }
        CliResult changed = await Cli.Run("doctor", "--model", _model.Path, "--hashes", "--quick", "--json");
        Assert.Equal(ExitCode.Failed, changed.ExitCode);
        Assert.Equal(Finding.Failed, Status(Checks(changed).Single(c => Name(c) == $"hash: {weights}")));
    }

    [Fact]
    public void Known_ComparesTheIdsOfAPublishedTokenizer()
    {
        (string, long[])[] known = [("a cat", [1, 5, 6, 2])];

        Assert.Equal(Finding.Ok, TokenizerChecks.Known("tokenizer", "CLIP", new Fixed([1, 5, 6, 2, 2, 2]), known).Status);
        Finding wrong = TokenizerChecks.Known("tokenizer", "CLIP", new Fixed([1, 5, 7, 2, 2, 2]), known);
        Assert.Equal(Finding.Failed, wrong.Status);
        Assert.Contains("gives 1 5 7 2, CLIP's published tokenizer 1 5 6 2", wrong.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void Velocity_IsJudgedByItsNumbersAndItsDifference()
    {
        Assert.Equal(Finding.Failed, VelocityCheck.Judge([1, float.NaN], "here").Status);
        Assert.Equal(Finding.Ok, VelocityCheck.Compare([1, 2, 2], [1, 2, 2.1f]).Status);
        // 0.055 is what bfloat16 itself was off with 12 billion parameters (docs/loop.md).
        Assert.Equal(Finding.Ok, VelocityCheck.Compare([1, 2, 2], [1, 2, 2.17f]).Status);
        Assert.Equal(Finding.Failed, VelocityCheck.Compare([1, 2, 2], [1, 2, 2.6f]).Status);
        Assert.Equal(Finding.Failed, VelocityCheck.Compare([1, 2, 2], [1, float.PositiveInfinity, 2]).Status);
    }

    [Theory]
    [InlineData("\0libcudart.so.12\0", 12)]
    [InlineData("\0libcudart-d0da41ae.so.13\0", 13)]
    [InlineData("\0libcublas.so.13\0", 13)]
    [InlineData("\0cudart64_12.dll\0", 12)]
    [InlineData("\0libcudart.so\0", null)]
    public void MajorIn_ReadsTheNamesOfNvidiasLibraries(string text, int? major)
    {
        // The name lies across the first two blocks.
        byte[] library = [.. new byte[(1 << 20) - 7], .. Encoding.Latin1.GetBytes(text), .. new byte[3]];
        using MemoryStream stream = new(library);

        Assert.Equal(major, CudaLibraries.MajorIn(stream));
    }

    private async Task AssertFails(string name, string expected)
    {
        CliResult result = await Cli.Run("doctor", "--model", _model.Path, "--quick", "--json");

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        JsonElement check = Checks(result).Single(c => Name(c) == name);
        Assert.Equal(Finding.Failed, Status(check));
        Assert.Contains(expected, check.GetProperty("found").GetString(), StringComparison.Ordinal);
        Assert.NotEmpty(check.GetProperty("advice").GetString()!);
    }

    private static JsonElement[] Checks(CliResult result)
    {
        using JsonDocument document = JsonDocument.Parse(result.Output);
        return [.. document.RootElement.Clone().GetProperty("checks").EnumerateArray()];
    }

    private static string Name(JsonElement check) => check.GetProperty("name").GetString()!;

    private static string Status(JsonElement check) => check.GetProperty("status").GetString()!;

    private static string Found(JsonElement[] checks, string name) => checks.Single(c => Name(c) == name).GetProperty("found").GetString()!;

    private sealed class Fixed(long[] ids) : ITextTokenizer
    {
        public int MaxLength => ids.Length;

        public int VocabularySize => 49408;

        public long[] Encode(string text, int maxLength, out bool truncated)
        {
            truncated = false;
            return ids;
        }
    }
}
