using Dsd.Curation.Grids;

namespace Dsd.Curation.Tests.Grids;

public class GridLayoutTests
{
    [Theory]
    [InlineData("1x2", 1, 2)]
    [InlineData("2x1", 2, 1)]
    [InlineData(" 3 x 3 ", 3, 3)]
    [InlineData("1×4", 1, 4)]
    public void Parse_ReadsRowsAndColumns(string text, int rows, int columns) => Assert.Equal(new GridLayout(rows, columns), GridLayout.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("2")]
    [InlineData("1x1")]
    [InlineData("-1x-2")]
    [InlineData("5x5")]
    [InlineData("2x2x2")]
    [InlineData("99999999999x2")]
    public void Parse_NamesWhatItCannotRead(string text) => Assert.Contains($"'{text}'", Assert.Throws<FormatException>(() => GridLayout.Parse(text)).Message);

    [Fact]
    public void ToString_IsReadByParse() => Assert.Equal(GridLayout.OneByFour, GridLayout.Parse(GridLayout.OneByFour.ToString()));

    [Fact]
    public void Constructor_RefusesASinglePanel() => Assert.Throws<ArgumentOutOfRangeException>(() => new GridLayout(1, 1));

    [Theory]
    [InlineData("1x2", "left|right")]
    [InlineData("2x1", "top|bottom")]
    [InlineData("2x2", "top left|top right|bottom left|bottom right")]
    [InlineData("1x4", "number 1 from the left|number 2 from the left|number 3 from the left|number 4 from the left")]
    [InlineData("3x3", "top left|top middle|top right|middle left|centre|middle right|bottom left|bottom middle|bottom right")]
    public void PositionOf_NamesEveryPanelDifferently(string layout, string expected)
    {
        GridLayout grid = GridLayout.Parse(layout);
        Assert.Equal(expected, string.Join('|', Enumerable.Range(0, grid.Panels).Select(grid.PositionOf)));
    }
}
