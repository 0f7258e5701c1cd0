using Dsd.Curation.Grids;
using Dsd.Imaging;

namespace Dsd.Curation.Tests.Grids;

public class PanelCutterTests
{
    private static readonly (byte, byte, byte) White = (255, 255, 255);

    [Theory]
    [InlineData("1x2")]
    [InlineData("2x1")]
    [InlineData("2x2")]
    [InlineData("1x4")]
    [InlineData("3x3")]
    public void Cut_ReturnsAdjoiningPanelsUnchanged(string layout)
    {
        GridLayout parsed = GridLayout.Parse(layout);
        IReadOnlyList<Picture> panels = PanelCutter.Cut(Grid(parsed, 48, 40, border: 0, gutter: 0), parsed);
        Assert.Equal(parsed.Panels, panels.Count);
        for (int i = 0; i < panels.Count; i++)
        {
            Assert.Equal(TestPictures.Draw(48, 40, (x, y) => TestPictures.Texture(i, x, y)).Pixels, panels[i].Pixels);
        }
    }

    [Theory]
    [InlineData("2x2", 3, 4)]
    [InlineData("1x2", 2, 3)]
    [InlineData("2x1", 0, 4)]
    [InlineData("3x3", 3, 0)]
    [InlineData("1x4", 1, 5)]
    public void Cut_LeavesNothingOfBordersAndGutters(string layout, int border, int gutter)
    {
        GridLayout parsed = GridLayout.Parse(layout);
        IReadOnlyList<Picture> panels = PanelCutter.Cut(Grid(parsed, 64, 64, border, gutter), parsed);
        for (int i = 0; i < panels.Count; i++)
        {
            Assert.Equal((64, 64), (panels[i].Width, panels[i].Height), new Within(2));
            Assert.All(Reds(panels[i]), red => Assert.InRange(red, 40 + 20 * i - 2, 40 + 20 * i + 2));
        }
    }

    [Fact]
    public void Cut_FindsAGutterThatIsOffTheMiddle()
    {
        // Left panel 60 wide, gutter 4, right panel 64: the gutter begins 4 pixels before the grid's middle.
        Picture grid = TestPictures.Draw(128, 64, (x, y) => x < 60 ? TestPictures.Texture(0, x, y) : x < 64 ? White : TestPictures.Texture(1, x, y));
        IReadOnlyList<Picture> panels = PanelCutter.Cut(grid, GridLayout.OneByTwo);
        Assert.All(panels, (panel, i) => Assert.All(Reds(panel), red => Assert.InRange(red, 38 + 20 * i, 42 + 20 * i)));
    }

    [Fact]
    public void Cut_AllowsSpecksInAGutter()
    {
        Picture grid = TestPictures.Draw(
            132,
            64,
            (x, y) =>
                x < 64
                    ? TestPictures.Texture(0, x, y)
                    : x >= 68 ? TestPictures.Texture(1, x, y)
                    : y == 20 ? ((byte)0, (byte)0, (byte)0)
                    : ((byte)(250 - (y & 3)), (byte)248, (byte)250));
        IReadOnlyList<Picture> panels = PanelCutter.Cut(grid, GridLayout.OneByTwo);
        Assert.All(panels, panel => Assert.DoesNotContain(Reds(panel), red => red > 100));
    }

    [Fact]
    public void Cut_KeepsAWideUniformBandAsBackground()
    {
        // A third of the picture is sky of one colour: no border is that wide.
        Picture grid = TestPictures.Draw(128, 64, (x, y) => y < 20 ? ((byte)120, (byte)180, (byte)250) : TestPictures.Texture(x / 64, x, y));
        Assert.Equal(grid.Crop(0, 0, 64, 64).Pixels, PanelCutter.Cut(grid, GridLayout.OneByTwo)[0].Pixels);
    }

    [Fact]
    public void Cut_KeepsPanelsOfOneColour()
    {
        Picture grid = TestPictures.Plain(128, 64, (10, 20, 30));
        Assert.All(PanelCutter.Cut(grid, GridLayout.OneByTwo), panel => Assert.Equal((64, 64), (panel.Width, panel.Height)));
    }

    [Fact]
    public void Cut_TrimsNothingWhenToldSo()
    {
        Picture grid = Grid(GridLayout.OneByTwo, 60, 60, border: 2, gutter: 4);
        Assert.Equal(grid.Crop(0, 0, 64, 64).Pixels, PanelCutter.Cut(grid, GridLayout.OneByTwo, new PanelCutterOptions { MaxTrim = 0 })[0].Pixels);
    }

    [Fact]
    public void Cut_ScalesPanelsToTheSizeAskedFor()
    {
        IReadOnlyList<Picture> panels = PanelCutter.Cut(
            Grid(GridLayout.TwoByTwo, 90, 90, border: 3, gutter: 6), GridLayout.TwoByTwo, new PanelCutterOptions { PanelWidth = 96, PanelHeight = 96 });
        Assert.All(panels, panel => Assert.Equal((96, 96), (panel.Width, panel.Height)));
    }

    [Fact]
    public void Cut_MakesAllPanelsOfAnOddGridEquallyLarge()
    {
        Picture grid = TestPictures.Draw(101, 67, (x, y) => TestPictures.Texture(0, x, y));
        IReadOnlyList<Picture> panels = PanelCutter.Cut(grid, GridLayout.TwoByTwo);
        Assert.Single(panels.Select(panel => (panel.Width, panel.Height)).Distinct());
    }

    [Fact]
    public void Cut_RefusesAGridThatIsTooSmall() =>
        Assert.Contains(
            "16 × 64", Assert.Throws<ArgumentException>(() => PanelCutter.Cut(TestPictures.Plain(16, 64, (0, 0, 0)), GridLayout.ThreeByThree)).Message);

    [Theory]
    [InlineData(PairChoice.Ordered)]
    [InlineData(PairChoice.Unordered)]
    public void Pairs_AreJudgedOnceWhicheverWayRound(PairChoice choice) => Assert.Equal([(0, 1), (0, 2), (1, 2)], PanelCutter.Pairs(3, choice));

    [Fact]
    public void Pairs_FirstToRest_AllHoldTheFirst() => Assert.Equal([(0, 1), (0, 2), (0, 3)], PanelCutter.Pairs(4, PairChoice.FirstToRest));

    private static Picture Grid(GridLayout layout, int width, int height, int border, int gutter)
    {
        int Panel(int at, int size, out int inside)
        {
            (int index, inside) = Math.DivRem(at - border, size + gutter);
            return at < border || inside >= size ? -1 : index;
        }
        return TestPictures.Draw(
            layout.Columns * width + (layout.Columns - 1) * gutter + 2 * border,
            layout.Rows * height + (layout.Rows - 1) * gutter + 2 * border,
            (x, y) =>
            {
                int column = Panel(x, width, out int px);
                int row = Panel(y, height, out int py);
                return column < 0 || row < 0 || column >= layout.Columns || row >= layout.Rows
                    ? White
                    : TestPictures.Texture(row * layout.Columns + column, px, py);
            });
    }

    private static IEnumerable<int> Reds(Picture picture) => Enumerable.Range(0, picture.Width * picture.Height).Select(i => (int)picture.Pixels[3 * i]);

    private sealed class Within(int pixels) : IEqualityComparer<(int Width, int Height)>
    {
        public bool Equals((int Width, int Height) a, (int Width, int Height) b) =>
            Math.Abs(a.Width - b.Width) <= pixels && Math.Abs(a.Height - b.Height) <= pixels;

        public int GetHashCode((int Width, int Height) size) => 0;
    }
}
