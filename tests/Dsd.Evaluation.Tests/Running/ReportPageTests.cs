using Dsd.Evaluation.Running;
using Dsd.Review.Tests.Page;
using Microsoft.Playwright;

namespace Dsd.Evaluation.Tests.Running;

/// <summary>The report in a browser: it opens without a fault, asks for no other file, shows every picture, and fits a telephone.</summary>
public sealed class ReportPageTests(Browser browser) : IClassFixture<Browser>
{
    [ChromiumFact]
    public async Task TheReport_OpensAlone_AndShowsEveryPicture()
    {
        using WorldFolders world = new(6);
        IReadOnlyList<EvaluationSystem> systems = EvaluationFolders.Read(world.References, [world.Shifted("one", 1), world.Shifted("two", 2)], world.Prompts);
        await new EvaluationRun([new CountingMetric()], systems).RunAsync(world.At("out"));
        Uri report = new(Path.Combine(world.At("out"), EvaluationRun.ReportFile));

        (IPage page, List<string> complaints) = await browser.NewAsync(width: 390, height: 800);
        List<string> asked = [];
        page.Request += (_, request) => asked.Add(request.Url);
        await page.GotoAsync(report.AbsoluteUri);

        Assert.Empty(complaints);
        Assert.Equal([report.AbsoluteUri], asked.Where(url => !url.StartsWith("data:", StringComparison.Ordinal)));
        Assert.Equal("first-pixel", await page.Locator("h2").TextContentAsync());
        Assert.Equal(["one", "two"], await page.Locator("tr td:first-child").AllTextContentsAsync());
        Assert.Equal(2, await page.Locator("svg rect[height]:not([height='0'])").EvaluateAllAsync<int>("bars => new Set(bars.map(b => b.parentNode)).size"));
        Assert.Equal(32, await page.Locator("img").CountAsync());
        Assert.True(await page.EvaluateAsync<bool>("() => [...document.images].every(i => i.complete && i.naturalWidth > 0)"));
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= window.innerWidth"));
    }
}
