using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Lab.Tests.Commands;

public sealed class JudgeCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--device", "tpu")]
    [InlineData("--grids", "1")]
    [InlineData("--steps", "0")]
    [InlineData("--whole-subject-share", "1.5")]
    public async Task Judge_WithValuesOutOfRange_IsWrongUse(string option, string value)
    {
        CliResult result = await Cli.Run("judge", "--out", _folder.File("judge"), option, value);

        Assert.Equal(ExitCode.WrongUse, result.ExitCode);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Judge_OfAModelWithoutOne_SaysHowToTrainIt() =>
        (await Cli.Run("judge", "--model", Folder("model"), "--out", _folder.File("judge"))).AssertFails(ExitCode.Failed, "--stage classifier");

    private string Folder(string name) => Directory.CreateDirectory(_folder.File(name)).FullName;
}
