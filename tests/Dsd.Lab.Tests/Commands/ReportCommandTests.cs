using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Lab.Tests.Commands;

public sealed class ReportCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--device", "tpu")]
    [InlineData("--subjects", "1")]
    [InlineData("--subjects", "10001")]
    public async Task Report_WithValuesOutOfRange_IsWrongUse(string option, string value)
    {
        CliResult result = await Cli.Run("report", "--out", _folder.File("report"), option, value);

        Assert.Equal(ExitCode.WrongUse, result.ExitCode);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Report_OfAFolderWithoutAClassifier_SaysHowToTrainOne()
    {
        Directory.CreateDirectory(_folder.File("model"));

        (await Cli.Run("report", "--model", _folder.File("model"), "--out", _folder.File("report"))).AssertFails(ExitCode.Failed, "--stage classifier");
    }
}
