using System.CommandLine;
using Dsd.Tools.Commands;

namespace Dsd.Tools.Tests;

public class NumberTests
{
    private static readonly HashSet<Type> Whole = [typeof(int), typeof(long), typeof(ulong)];
    private static readonly HashSet<Type> Real = [typeof(float), typeof(double)];

    // 3,5 is three and a half in half of Europe, and 35 to a reader that takes commas for thousands.
    [Theory]
    [InlineData("3,5")]
    [InlineData("0,8")]
    [InlineData("1,000")]
    [InlineData("1.000,5")]
    [InlineData("1 000")]
    [InlineData("1'000")]
    [InlineData("1_000")]
    [InlineData("1e3")]
    [InlineData("1E-3")]
    [InlineData(" 3")]
    [InlineData("3 ")]
    [InlineData("+3")]
    [InlineData("--3")]
    [InlineData("0x10")]
    [InlineData("0b1")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("∞")]
    [InlineData("3.")]
    [InlineData(".")]
    [InlineData("-")]
    [InlineData("1.2.3")]
    [InlineData("٣")]
    [InlineData("３")]
    [InlineData("½")]
    [InlineData("−3")]
    [InlineData("(3)")]
    [InlineData("3%")]
    [InlineData("3f")]
    [InlineData("three")]
    [InlineData("")]
    public void EveryNumberOption_RefusesWhatIsNoDigitsWithAPoint(string text) => Assert.All(NumberOptions(), found => AssertRefuses(found, text));

    [Fact]
    public void EveryWholeNumber_RefusesAPoint() => Assert.All(NumberOptions().Where(o => Whole.Contains(TypeOf(o.Option))), found =>
    {
        AssertRefuses(found, "3.0");
        AssertRefuses(found, "3.5");
        AssertRefuses(found, ".5");
        AssertRefuses(found, "99999999999999999999");
    });

    [Theory]
    [InlineData("3", 3)]
    [InlineData("3.5", 3.5)]
    [InlineData("003.50", 3.5)]
    [InlineData(".5", 0.5)]
    [InlineData("-0.25", -0.25)]
    public void ANumberWithAPoint_IsRead(string text, double value)
    {
        Assert.True(Number.TryRead(text, out double read));
        Assert.Equal(value, read);
    }

    [Fact]
    public void AWholeNumber_IsReadToItsBounds()
    {
        Assert.True(Number.TryRead("-9223372036854775808", out long least));
        Assert.Equal(long.MinValue, least);
        Assert.True(Number.TryRead("18446744073709551615", out ulong most));
        Assert.Equal(ulong.MaxValue, most);
        Assert.False(Number.TryRead("9223372036854775808", out long _));
        Assert.False(Number.TryRead("-1", out ulong _));
    }

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

    private static void AssertRefuses((string[] Command, Option Option) found, string text)
    {
        RootCommand root = Root();
        string[] errors = [.. root.Parse([.. found.Command, found.Option.Name, text], new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null }).Errors.Select(e => e.Message)];

        Assert.Contains(errors, e => e.Contains(found.Option.Name, StringComparison.Ordinal) && e.Contains($"'{text.Trim()}'", StringComparison.Ordinal) | e.Contains($"'{text}'", StringComparison.Ordinal));
        Assert.DoesNotContain(errors, e => e.Contains("System.", StringComparison.Ordinal));
    }

    private static (string[] Command, Option Option)[] NumberOptions()
    {
        (string[], Option)[] found = [.. Of(Root(), [])];
        Assert.True(found.Length > 40, $"{found.Length} options");
        return found;
    }

    private static IEnumerable<(string[], Option)> Of(Command command, string[] path) =>
        command.Options.Where(o => Whole.Contains(TypeOf(o)) || Real.Contains(TypeOf(o))).Select(o => (path, o))
            .Concat(command.Subcommands.SelectMany(c => Of(c, [.. path, c.Name])));

    private static Type TypeOf(Option option) => Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;

    private static RootCommand Root() => DsdCli.Commands(new Terminal(new GuardedWriter(TextWriter.Null), new GuardedWriter(TextWriter.Null)), new Option<bool>("--verbose"));
}
