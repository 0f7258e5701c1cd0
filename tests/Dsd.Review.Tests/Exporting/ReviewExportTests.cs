using Dsd.Imaging;
using Dsd.Review.Exporting;

namespace Dsd.Review.Tests.Exporting;

public sealed class ReviewExportTests : IAsyncLifetime
{
    private TestRun _run = null!;

    private string Out => Path.Combine(_run.Folder, "page");

    public async Task InitializeAsync() => _run = await TestRun.MakeAsync(30);

    public Task DisposeAsync()
    {
        _run.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Page_HoldsItsFilesAndAPictureForEachPanel()
    {
        Assert.Equal((30, 30), await ReviewExport.WriteAsync(_run.Folder, Out));

        Assert.Equal(
            ["data.js", "icon.svg", "index.html", "review.css", "review.js"],
            Directory.EnumerateFiles(Out).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        string[] panels = Directory.GetFiles(Path.Combine(Out, "panels"));
        Assert.Equal(60, panels.Length);
        Assert.Equal(TestRun.PanelHeight, Picture.Load(panels[0]).Height);
    }

    [Fact]
    public async Task Page_OfMorePairsThanAsked_TakesThemAtEqualDistances()
    {
        Assert.Equal((3, 30), await ReviewExport.WriteAsync(_run.Folder, Out, new ReviewExportOptions { MostPairs = 3, MaxSide = 64 }));

        string data = await File.ReadAllTextAsync(Path.Combine(Out, "data.js"));
        Assert.All((int[])[0, 10, 20], i => Assert.Contains(TestRun.IdOf(i), data, StringComparison.Ordinal));
        Assert.DoesNotContain(TestRun.IdOf(1), data, StringComparison.Ordinal);
        Assert.Contains("3 of 30 pairs", data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_HoldsHostileTextsAsTextAlone()
    {
        await ReviewExport.WriteAsync(_run.Folder, Out);

        Assert.DoesNotContain('<', await File.ReadAllTextAsync(Path.Combine(Out, "data.js")));
    }

    [Fact]
    public async Task Page_ReplacesAnEarlierOneAndNothingElse()
    {
        await ReviewExport.WriteAsync(_run.Folder, Out);
        await _run.ReviewAsync((0, false));
        await ReviewExport.WriteAsync(_run.Folder, Out);
        Assert.Contains("\"reviewed\":false", await File.ReadAllTextAsync(Path.Combine(Out, "data.js")), StringComparison.Ordinal);

        IOException fault = await Assert.ThrowsAsync<IOException>(() => ReviewExport.WriteAsync(_run.Folder, _run.Folder));
        Assert.Contains("holds other files", fault.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_run.Folder, "ledger.db")));
    }

    [Fact]
    public async Task Page_WithoutAGrid_IsWrittenWithoutItsPictures()
    {
        File.Delete(Directory.EnumerateFiles(Path.Combine(_run.Folder, "grids"), "p004~0.*", SearchOption.AllDirectories).Single());
        await ReviewExport.WriteAsync(_run.Folder, Out);

        Assert.Equal(58, Directory.GetFiles(Path.Combine(Out, "panels")).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5001)]
    public void Options_OutOfRange_AreRefused(int most) => Assert.Throws<ArgumentOutOfRangeException>(() => new ReviewExportOptions { MostPairs = most });
}
