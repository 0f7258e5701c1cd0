using Dsd.CommandLine;
using Dsd.Imaging;
using Dsd.Testing;

namespace Dsd.Lab.Tests.Commands;

public sealed class DrawCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Draw_WritesAPictureOfTheAskedSize()
    {
        CliResult result = await Draw("--size", "64x96");

        Assert.Equal((ExitCode.Done, Result + Environment.NewLine), (result.ExitCode, result.Output));
        Picture picture = Picture.Load(Result);
        Assert.Equal((64, 96), (picture.Width, picture.Height));
    }

    [Fact]
    public async Task Draw_SaysHowFarItIs()
    {
        CliResult result = await Draw("--size", "64x64");

        Assert.Contains("drawing: step 2 of 2", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Draw_WithAMissingModel_NamesIt() =>
        (await Cli.Run("draw", "--model", _folder.File("none"), "--prompt", "x", "--out", Result))
            .AssertFails(ExitCode.Failed, _folder.File("none"), "no folder");

    [Fact]
    public async Task Draw_WhenCancelled_LeavesNothing()
    {
        using CancelledByWriting error = new();

        int exitCode = await LabCli.Program.RunAsync(
            ["draw", "--model", Fixtures.Own("tiny-flux"), "--prompt", "x", "--steps", "50", "--size", "64x64", "--out", Result], TextWriter.Null, error,
            error.Token);

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    private string Result => _folder.File("result.png");

    private Task<CliResult> Draw(params string[] options) =>
        Cli.Run(["draw", "--model", Fixtures.Own("tiny-flux"), "--prompt", "a fox", "--steps", "2", "--out", Result, .. options]);
}
