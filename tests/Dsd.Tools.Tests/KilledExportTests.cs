using Dsd.CommandLine;
using Dsd.Models.Weights;
using Dsd.Onnx.Runtime;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

/// <summary><c>dsd export</c> as a process that is killed at some moment: never is there a folder that looks whole and is not.</summary>
public sealed class KilledExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.File("onnx");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("transformer")]
    [InlineData("vae_decoder")]
    [InlineData("tokenizer_2")]
    public async Task AnExportThatIsKilled_LeavesNothingThatOpens_AndTheNextOneTidiesUp(string begun)
    {
        Assert.Equal(KilledProcess.Killed, await RunAsync(killAt: () => Half(begun)));

        Assert.False(Directory.Exists(Target));
        // The half is there, or the moment would not have been one within the writing; it does not open either.
        string half = Path.Combine(Assert.Single(Directory.GetDirectories(_folder.Path)), "content");
        Assert.True(Directory.Exists(Path.Combine(half, begun)));
        Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(half));
        Assert.Equal(ExitCode.Done, await RunAsync());
        Assert.Equal([Target], Directory.EnumerateFileSystemEntries(_folder.Path));
        OnnxModelFolder.Open(Target).CheckHashes();
    }

    [Fact]
    public async Task AnExportThatIsKilledOverAnEarlierOne_LeavesTheEarlierOneWhole()
    {
        Assert.Equal(ExitCode.Done, await RunAsync());
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(Target, "dsd.json"));

        Assert.Equal(KilledProcess.Killed, await RunAsync(killAt: () => Half("vae_encoder"), "--overwrite"));

        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(Target, "dsd.json")));
        OnnxModelFolder.Open(Target).CheckHashes();
    }

    /// <summary>Whether a part of the export has begun.</summary>
    private bool Half(string component) =>
        Directory.EnumerateDirectories(_folder.Path, "onnx.part-*").Any(d => Directory.Exists(Path.Combine(d, "content", component)));

    private async Task<int> RunAsync(Func<bool>? killAt = null, params string[] more) =>
        (await KilledProcess.RunAsync(["export", "--model", Fixtures.Own("tiny-flux"), "--out", Target, .. more], killAt)).ExitCode;
}
