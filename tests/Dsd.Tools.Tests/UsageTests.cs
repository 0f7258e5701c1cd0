namespace Dsd.Tools.Tests;

public class UsageTests
{
    [Fact]
    public async Task Run_WithoutACommand_IsWrongUse() =>
        (await Cli.Run()).AssertFails(ExitCode.WrongUse, "command", "dsd --help");

    [Fact]
    public async Task Run_WithAnUnknownOption_NamesIt() =>
        (await Cli.Run("inspect", "x", "--colour")).AssertFails(ExitCode.WrongUse, "--colour", "dsd inspect --help");

    [Fact]
    public async Task Run_WithoutARequiredArgument_NamesIt() =>
        (await Cli.Run("inspect")).AssertFails(ExitCode.WrongUse, "PATH", "dsd inspect --help");

    [Fact]
    public async Task Help_ListsTheCommands()
    {
        CliResult result = await Cli.Run("--help");

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Contains("inspect", result.Output, StringComparison.Ordinal);
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task Run_TakesAnArgumentThatBeginsWithAnAtSign() =>
        (await Cli.Run("inspect", "@nothing")).AssertFails(ExitCode.Failed, "@nothing", "nothing there");

    [Fact]
    public async Task Verbose_ShowsWhereAnErrorCameFrom()
    {
        CliResult result = await Cli.Run("inspect", "/nowhere", "--verbose");

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains("   at Dsd.Tools", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void OneLine_AddsInnerMessagesThatSaySomethingNew()
    {
        Exception exception = new IOException("Cannot write 'a'.", new InvalidOperationException("The disk\nis full"));

        Assert.Equal("Cannot write 'a'. The disk is full.", ErrorText.OneLine(exception));
    }

    [Fact]
    public void OneLine_LeavesOutWhatTheOuterMessageHolds()
    {
        Exception exception = new IOException("Cannot write 'a': disk full.", new InvalidOperationException("disk full"));

        Assert.Equal("Cannot write 'a': disk full.", ErrorText.OneLine(exception));
    }
}
