using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

public class NumberTests
{
    [Theory]
    [InlineData("--guidance", "3,5")]
    [InlineData("--image-guidance", "1,5")]
    [InlineData("--block-cache", "0,1")]
    [InlineData("--steps", "3.0")]
    [InlineData("--seed", "1e3")]
    public async Task Generate_QuotesWhatWasTyped(string option, string text)
    {
        CliResult result = await Cli.Run("generate", "--model", "tiny", "--prompt", "x", "--out", "x.png", option, text);

        result.AssertFails(ExitCode.WrongUse, $"Option '{option}'", $"'{text}'");
        Assert.DoesNotContain("System.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_QuotesAStrengthWithAComma() =>
        (await Cli.Run("export", "--model", "tiny", "--out", "x", "--lora-scale", "0,8")).AssertFails(ExitCode.WrongUse, "'--lora-scale'", "'0,8'");

    [Fact]
    public async Task AValueOutOfRange_IsToldOnce() => Assert.Equal(
        "dsd: Option '--guidance' must lie between 0 and 100, but is -1. See 'dsd generate --help'.\n",
        (await Cli.Run("generate", "--model", "tiny", "--prompt", "x", "--out", "x.png", "--guidance", "-1")).Error.ReplaceLineEndings("\n"));
}
