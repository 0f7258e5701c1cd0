using Dsd.CommandLine;
using Dsd.Testing;

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

    [Theory]
    [InlineData("Option '--out' is empty", "export", "--model", "tiny", "--out", "")]
    [InlineData("Argument 'PATH' is empty", "inspect", " ")]
    [InlineData("'--jsn'", "inspect", "--jsn")]
    [InlineData("'frobnicate'", "frobnicate")]
    [InlineData("'--promt'", "generate", "--model", "tiny", "--promt", "x", "--out", "a.png")]
    [InlineData("'--outt'", "generate", "--model", "tiny", "--prompt", "--outt", "x", "--out", "a.png")]
    [InlineData("'--vae-tile'", "generate", "--model", "tiny", "--prompt", "x", "--out", "a.png", "--vae-tile", "1")]
    [InlineData("'--transformer'", "generate", "--model", "tiny", "--prompt", "x", "--out", "a.png", "--transformer", "a.safetensors", "--dsd", "b")]
    [InlineData("'--overwite'", "export", "--model", "tiny", "--out", "--overwite")]
    [InlineData("argument 'true'", "inspect", "x", "--json=true")]
    [InlineData("'--seed' expects a single argument but 2", "generate", "--model", "tiny", "--prompt", "x", "--out", "a.png", "--seed", "1", "--seed", "2")]
    [InlineData("'--seed'", "generate", "--model", "tiny", "--prompt", "x", "--out", "a.png", "--seed")]
    [InlineData("'--memory'", "generate", "--model", "tiny", "--prompt", "x", "--out", "a.png", "--memory", "7")]
    [InlineData("'1'", "generate", "--model", "tiny", "--prompt", "x", "--out", "a.png", "--device", "1")]
    [InlineData("'cuda:٣'", "generate", "--model", "tiny", "--prompt", "x", "--out", "a.png", "--device", "cuda:٣")]
    [InlineData("'512,512'", "generate", "--model", "tiny", "--prompt", "x", "--out", "a.png", "--size", "512,512")]
    [InlineData("'+512x512'", "generate", "--model", "tiny", "--prompt", "x", "--out", "a.png", "--size", "+512x512")]
    public async Task Run_OfWhatANewcomerMayType_IsWrongUse(string expected, params string[] args) =>
        (await Cli.Run(args)).AssertFails(ExitCode.WrongUse, expected);
}
