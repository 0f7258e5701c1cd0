using Dsd.Common.Options;

namespace Dsd.Common.Tests.Options;

public class OptionCheckTests
{
    [Theory]
    [InlineData(0.0, true)]
    [InlineData(1.0, true)]
    [InlineData(1.0000001, false)]
    [InlineData(-0.1, false)]
    [InlineData(double.NaN, false)]
    public void Range_TakesItsBoundsAndWhatIsBetween(double value, bool isIn)
    {
        if (isIn)
        {
            Assert.Equal(value, OptionCheck.Range(value, 0, 1, "Share"));
            Assert.Equal(value, OptionCheck.RangeOrNull<double>(value, 0, 1, "Share"));
            return;
        }
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => OptionCheck.Range(value, 0, 1, "Share")).Message;
        Assert.StartsWith($"Option Share must lie between 0 and 1, but is {value}.", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => OptionCheck.RangeOrNull<double>(value, 0, 1, "Share"));
    }

    [Fact]
    public void Range_OfTimes_NamesTheBounds()
    {
        TimeSpan hour = TimeSpan.FromHours(1);
        Assert.Equal(hour, OptionCheck.Range(hour, TimeSpan.Zero, hour, "Wait"));
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => OptionCheck.Range(2 * hour, TimeSpan.Zero, hour, "Wait")).Message;
        Assert.StartsWith("Option Wait must lie between 00:00:00 and 01:00:00, but is 02:00:00.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void OrNull_LetsNullThrough()
    {
        Assert.Null(OptionCheck.RangeOrNull<int>(null, 0, 1, "Count"));
        Assert.Null(OptionCheck.DefinedOrNull<DayOfWeek>(null, "Day"));
        Assert.Null(OptionCheck.TextOrNull(null, "Name"));
    }

    [Fact]
    public void Defined_NamesTheValuesOfTheEnumeration()
    {
        Assert.Equal(DayOfWeek.Friday, OptionCheck.Defined(DayOfWeek.Friday, "Day"));
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => OptionCheck.Defined((DayOfWeek)9, "Day")).Message;
        Assert.StartsWith("Option Day must be one of Sunday, Monday,", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_AreCopied()
    {
        string[] given = ["a", "b"];
        IReadOnlyList<string> taken = OptionCheck.Texts(given, 1, "Names");
        given[0] = "c";
        Assert.Equal(["a", "b"], taken);
    }

    [Fact]
    public void Texts_RefusesTooFewAndEmptyOnes()
    {
        Assert.Contains(
            "needs at least 2 entries", Assert.Throws<ArgumentException>(() => OptionCheck.Texts(["a"], 2, "Names")).Message, StringComparison.Ordinal);
        Assert.Contains(
            "empty entry at index 1", Assert.Throws<ArgumentException>(() => OptionCheck.Texts(["a", " "], 1, "Names")).Message, StringComparison.Ordinal);
    }
}
