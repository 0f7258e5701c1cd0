using System.CommandLine;
using Dsd.CommandLine.Options;
using Dsd.Lab;
using Dsd.Tools;

namespace Dsd.CommandLine.Tests;

/// <summary>How numbers are read, and that every number option of both programs reads them so.</summary>
public class NumberTests
{
    private static readonly CommandProgram[] Programs = [DsdCli.Program, LabCli.Program];
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

    private static void AssertRefuses((CommandProgram Program, string[] Command, Option Option) found, string text)
    {
        RootCommand root = Root(found.Program);
        ParserConfiguration how = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };
        string[] errors = [.. root.Parse([.. found.Command, found.Option.Name, text], how).Errors.Select(e => e.Message)];

        Assert.Contains(errors, e => e.Contains(found.Option.Name, StringComparison.Ordinal)
            && (e.Contains($"'{text.Trim()}'", StringComparison.Ordinal) || e.Contains($"'{text}'", StringComparison.Ordinal)));
        Assert.DoesNotContain(errors, e => e.Contains("System.", StringComparison.Ordinal));
    }

    private static (CommandProgram Program, string[] Command, Option Option)[] NumberOptions()
    {
        (CommandProgram, string[], Option)[] found = [.. Programs.SelectMany(program => Of(program, Root(program), []))];
        Assert.True(found.Length > 40, $"{found.Length} options");
        return found;
    }

    private static IEnumerable<(CommandProgram, string[], Option)> Of(CommandProgram program, Command command, string[] path) =>
        command.Options.Where(o => Whole.Contains(TypeOf(o)) || Real.Contains(TypeOf(o))).Select(o => (program, path, o))
            .Concat(command.Subcommands.SelectMany(c => Of(program, c, [.. path, c.Name])));

    private static Type TypeOf(Option option) => Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;

    private static RootCommand Root(CommandProgram program) =>
        program.Commands(new Terminal("test", new GuardedWriter(TextWriter.Null), new GuardedWriter(TextWriter.Null)));
}
