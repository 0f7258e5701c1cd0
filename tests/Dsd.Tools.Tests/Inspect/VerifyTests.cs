using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dsd.CommandLine;
using Dsd.Onnx.Export;
using Dsd.Testing;

namespace Dsd.Tools.Tests.Inspect;

/// <summary><c>dsd inspect --verify</c> on an export whose weights lie beside their models.</summary>
public sealed class VerifyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public VerifyTests() => OnnxExporter.Export(Fixtures.Own("tiny-flux"), null, _folder.Path, new OnnxExportOptions { MostBytesInside = 0 });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AnExport_IsAsItWasWritten()
    {
        JsonElement report = await Cli.Json("inspect", _folder.Path, "--verify");

        JsonElement verified = report.GetProperty("verified");
        Assert.Equal(
            Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Count() - 1, verified.GetProperty("files").GetInt32());
        Assert.True(verified.GetProperty("tensors").GetInt32() > 50);
        Assert.Empty(report.GetProperty("warnings").EnumerateArray());
        CliResult text = await Cli.Run("inspect", _folder.Path, "--verify");
        Assert.Contains("lengths and SHA-256 that dsd.json says", text.Output, StringComparison.Ordinal);
        Assert.False((await Cli.Json("inspect", _folder.Path)).TryGetProperty("verified", out _));
    }

    [Theory]
    [InlineData("transformer/model.onnx.data")]
    [InlineData("text_encoder/model.onnx")]
    [InlineData("scheduler/scheduler_config.json")]
    public async Task ABitThatIsOther_IsFoundByTheHash(string name)
    {
        string file = _folder.File(name.Split('/'));
        byte[] bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 3] ^= 4;
        File.WriteAllBytes(file, bytes);

        (await Cli.Run("inspect", _folder.Path, "--verify")).AssertFails(ExitCode.Failed, file, "SHA-256");
    }

    [Fact]
    public async Task AFileThatIsCutShort_IsFoundByItsLength()
    {
        string file = _folder.File("vae_decoder", "model.onnx.data");
        using (FileStream stream = File.OpenWrite(file))
        {
            stream.SetLength(stream.Length - 1);
        }

        (await Cli.Run("inspect", _folder.Path, "--verify")).AssertFails(ExitCode.Failed, file, "bytes, as 'dsd.json' says");
    }

    [Theory]
    [InlineData("length", 0, "where there ought to be")]
    [InlineData("offset", 0, "which has")]
    [InlineData("offset", 'x', "that is no number")]
    [InlineData("location", 0, "no file beside the model")]
    public async Task WeightsThatLieElsewhere_AreFoundWhereHashesAgree(string entry, int changed, string said)
    {
        string file = _folder.File("transformer", "model.onnx");
        byte[] model = File.ReadAllBytes(file);
        // The key of the last weight's entry, its length in front; the value follows with a tag and its length.
        byte[] key = [(byte)entry.Length, .. Encoding.ASCII.GetBytes(entry), 0x12];
        int value = model.AsSpan().LastIndexOf(key) + key.Length + 1;
        model[value] = changed == 0 ? (byte)(model[value] == '9' ? '8' : '9') : (byte)changed;
        File.WriteAllBytes(file, model);
        Describe("transformer/model.onnx", model);

        (await Cli.Run("inspect", _folder.Path, "--verify")).AssertFails(ExitCode.Failed, file, said);
    }

    [Fact]
    public async Task AFolderWithoutHashes_IsRefused()
    {
        Change(description => Assert.True(description.Remove("sha256")));

        (await Cli.Run("inspect", _folder.Path, "--verify")).AssertFails(ExitCode.Failed, "dsd.json", "sha256");
    }

    [Fact]
    public async Task AWeightOfMoreBytesThanANumberHolds_IsRefused()
    {
        // A graph with one weight 'a' of 2⁶² numbers in single precision, beside the model.
        byte[] model = [0x3A, 0x13, 0x2A, 0x11, 0x08, .. Enumerable.Repeat((byte)0x80, 8), 0x40, 0x10, 0x01, 0x42, 0x01, (byte)'a', 0x70, 0x01];
        string file = _folder.File("transformer", "model.onnx");
        File.WriteAllBytes(file, model);
        Describe("transformer/model.onnx", model);

        (await Cli.Run("inspect", _folder.Path, "--verify")).AssertFails(ExitCode.Failed, file, "'a' FLOAT [4611686018427387904]");
    }

    [Fact]
    public async Task AnotherFolder_IsWrongUse()
    {
        (await Cli.Run("inspect", Fixtures.Own("tiny-flux"), "--verify")).AssertFails(ExitCode.WrongUse, "--verify", "dsd.json");
        (await Cli.Run("inspect", _folder.File("none"), "--verify")).AssertFails(ExitCode.Failed, _folder.File("none"));
    }

    [Fact]
    public async Task Inspect_ShowsOperatorsAndWhatTheModelsWereMadeOf()
    {
        JsonElement report = await Cli.Json("inspect", _folder.Path);

        Assert.Equal("tiny-flux", report.GetProperty("source").GetProperty("model").GetString());
        JsonElement transformer = report.GetProperty("models").EnumerateArray().Single(m => m.GetProperty("path").GetString()!.StartsWith("transformer/"));
        Assert.Equal("tiny-flux", transformer.GetProperty("metadata").GetProperty("source").GetString());
        int[] counts = [.. transformer.GetProperty("operators").EnumerateObject().Select(o => o.Value.GetInt32())];
        Assert.Equal(counts.OrderDescending(), counts);
        Assert.Equal(transformer.GetProperty("nodes").GetInt32(), counts.Sum());
        Assert.True(transformer.GetProperty("operators").GetProperty("MatMul").GetInt32() > 5);
        CliResult text = await Cli.Run("inspect", _folder.Path);
        Assert.Contains("source: model tiny-flux", text.Output, StringComparison.Ordinal);
        Assert.Matches(@"operators: .*MatMul ×\d+", text.Output);
    }

    /// <summary>Lets the description say of a file what it is now.</summary>
    private void Describe(string name, byte[] content) => Change(description =>
    {
        description["files"]![name] = content.Length;
        description["sha256"]![name] = Convert.ToHexStringLower(SHA256.HashData(content));
    });

    private void Change(Action<JsonObject> change)
    {
        JsonObject description = JsonNode.Parse(File.ReadAllText(_folder.File("dsd.json")))!.AsObject();
        change(description);
        File.WriteAllText(_folder.File("dsd.json"), description.ToJsonString());
    }
}
