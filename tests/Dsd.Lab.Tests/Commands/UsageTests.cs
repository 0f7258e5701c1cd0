using Dsd.CommandLine;

namespace Dsd.Lab.Tests.Commands;

public class UsageTests
{
    [Fact]
    public async Task Run_WithoutACommand_IsWrongUse() => (await Cli.Run()).AssertFails(ExitCode.WrongUse, "command", "dsd-lab --help");

    [Theory]
    [InlineData("'--seed' expects a single argument but 2", "world", "--out", "a.png", "--seed", "1", "--seed", "2")]
    [InlineData("'--seed'", "world", "--out", "a.png", "--seed")]
    [InlineData("'cpu,cpu'", "train", "--out", "m", "--device", "cpu,cpu")]
    [InlineData("'dsd,,text'", "study", "--out", "m", "--only", "dsd,,text")]
    public async Task Run_OfWhatANewcomerMayType_IsWrongUse(string expected, params string[] args) =>
        (await Cli.Run(args)).AssertFails(ExitCode.WrongUse, expected);
}
