using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Lab.Tests.Commands;

public sealed class TrainCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--device", "tpu")]
    [InlineData("--minutes", "-1")]
    [InlineData("--minutes", "NaN")]
    [InlineData("--stage", "nothing")]
    [InlineData("--threads", "0")]
    [InlineData("--threads", "1025")]
    public async Task Train_WithValuesOutOfRange_IsWrongUse(string option, string value)
    {
        CliResult result = await Cli.Run("train", "--out", _folder.File("model"), option, value);

        Assert.Equal(ExitCode.WrongUse, result.ExitCode);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Train_BelowAFile_IsRefused()
    {
        File.WriteAllText(_folder.File("file"), "");

        (await Cli.Run("train", "--out", _folder.File("file", "model"))).AssertFails(ExitCode.Failed, _folder.File("file", "model"), "is a file");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"seed\": \"one\"}")]
    public async Task Train_WithAConfigThatIsNone_LeavesNothing(string config)
    {
        File.WriteAllText(_folder.File("config.json"), config);

        CliResult result = await Cli.Run("train", "--out", _folder.File("model"), "--config", _folder.File("config.json"));

        result.AssertFails(ExitCode.Failed, _folder.File("config.json"));
        Assert.Equal([_folder.File("config.json")], Directory.EnumerateFileSystemEntries(_folder.Path));
    }
}
