using Dsd.CommandLine;
using Dsd.Testing;
using Dsd.Tiny.Classifier;

namespace Dsd.Lab.Tests.Commands;

public sealed class StudyCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--device", "tpu")]
    [InlineData("--minutes", "-1")]
    [InlineData("--minutes", "NaN")]
    [InlineData("--only", "dsd,nothing")]
    [InlineData("--seed", "one")]
    public async Task Study_WithValuesOutOfRange_IsWrongUse(string option, string value)
    {
        CliResult result = await Cli.Run("study", "--out", _folder.File("study"), option, value);

        Assert.Equal(ExitCode.WrongUse, result.ExitCode);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Study_OfTwoSizesAtOnce_IsWrongUse() =>
        (await Cli.Run("study", "--out", _folder.File("study"), "--quick", "--config", "file.json")).AssertFails(ExitCode.WrongUse, "--quick", "--config");

    [Fact]
    public async Task Study_OfAModelWithoutAJudge_SaysHowToTrainOneAndLeavesNothing()
    {
        Directory.CreateDirectory(_folder.File("model"));

        (await Cli.Run("study", "--quick", "--model", _folder.File("model"), "--out", _folder.File("study"))).AssertFails(ExitCode.Failed, "--stage judge");
        Assert.False(Directory.Exists(_folder.File("study")));
    }

    [Fact]
    public async Task Study_OfAModelOfAnotherSize_IsRefused()
    {
        Directory.CreateDirectory(_folder.File("model", "classifier"));
        (ClassifierConfig.ForWorld with { ImageSize = 32 }).Save(_folder.File("model", "classifier", "config.json"));

        (await Cli.Run("study", "--quick", "--model", _folder.File("model"), "--out", _folder.File("study"))).AssertFails(ExitCode.Failed, "reads 32");
        Assert.False(Directory.Exists(_folder.File("study")));
    }
}
