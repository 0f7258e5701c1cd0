using Dsd.Review.Exporting;
using Dsd.Review.Serving;
using Dsd.Runs;
using Microsoft.Data.Sqlite;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dsd.Review.Tests.Page;

public sealed class ReviewPageTests(Browser browser) : IClassFixture<Browser>, IAsyncLifetime
{
    private TestRun _run = null!;
    private ReviewServer _server = null!;

    public async Task InitializeAsync()
    {
        _run = await TestRun.MakeAsync(30);
        _server = await ReviewServer.StartAsync(_run.Folder);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _run.Dispose();
    }

    [ChromiumFact]
    public async Task Keys_GiveVerdictsThatReachTheLedger()
    {
        (IPage page, List<string> complaints) = await browser.OpenAsync(_server.Address);
        await page.Keyboard.PressAsync("k");
        await Expect(page.Locator("#number")).ToHaveTextAsync("Pair 2 of 30");
        await page.Keyboard.PressAsync("r");
        await Expect(page.Locator("#number")).ToHaveTextAsync("Pair 3 of 30");
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("K");
        await Expect(page.Locator("#progress")).ToContainTextAsync("3 of 30 reviewed (2 kept)");

        Assert.Equal([true, false, null, true], await Task.WhenAll(Enumerable.Range(0, 4).Select(_run.ReviewOfAsync)));
        Assert.Empty(complaints);
    }

    [ChromiumFact]
    public async Task Undo_BringsBackTheVerdictBefore_AndItsPair()
    {
        await _run.ReviewAsync((1, false));
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await page.Keyboard.PressAsync("k");
        await page.Keyboard.PressAsync("k");
        await Expect(page.Locator("#progress")).ToContainTextAsync("(2 kept)");
        await page.Keyboard.PressAsync("u");
        await Expect(page.Locator("#number")).ToHaveTextAsync("Pair 2 of 30");
        await Expect(page.Locator("#person")).ToHaveTextAsync("Person: reject");
        await page.ClickAsync("#undo");
        await Expect(page.Locator("#progress")).ToContainTextAsync("1 of 30 reviewed (0 kept)");

        Assert.Null(await _run.ReviewOfAsync(0));
        Assert.False(await _run.ReviewOfAsync(1));
        await Expect(page.Locator("#undo")).ToBeDisabledAsync();
    }

    [ChromiumFact]
    public async Task Buttons_DoWhatKeysDo()
    {
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await page.ClickAsync("#reject");
        await page.ClickAsync("#keep");
        await page.ClickAsync("#previous");
        await page.ClickAsync("#clear");
        await Expect(page.Locator("#person")).ToHaveTextAsync("Not reviewed");
        await Expect(page.Locator("#progress")).ToContainTextAsync("1 of 30 reviewed (0 kept)");
        Assert.Equal([false, null], await Task.WhenAll(Enumerable.Range(0, 2).Select(_run.ReviewOfAsync)));

        await page.FillAsync("#jump", "28");
        await page.ClickAsync("#go");
        await Expect(page.Locator("#number")).ToHaveTextAsync("Pair 28 of 30");
        await page.ClickAsync("#page-back");
        await Expect(page.Locator("#number")).ToHaveTextAsync("Pair 1 of 30");
    }

    [ChromiumFact]
    public async Task Keys_LeadThroughThePairs_AndHelpSaysWhich()
    {
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await page.Keyboard.PressAsync("?");
        await Expect(page.Locator("#keys")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("k");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("#keys")).ToBeHiddenAsync();
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.TypeAsync("26");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#number")).ToHaveTextAsync("Pair 26 of 30");
        await page.Keyboard.PressAsync("p");
        await Expect(page.Locator("#number")).ToHaveTextAsync("Pair 25 of 30");
        await page.Keyboard.PressAsync("ArrowLeft");
        await Expect(page.Locator("#number")).ToHaveTextAsync("Pair 24 of 30");

        // Nothing was pressed that gives a verdict while the help was closed.
        Assert.Null(await _run.ReviewOfAsync(0));
    }

    [ChromiumFact]
    public async Task Filters_NarrowTheList_AndLettersTypedThereGiveNoVerdict()
    {
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await page.SelectOptionAsync("[name=outcome]", "rejected");
        await Expect(page.Locator("#found")).ToHaveTextAsync("10 pairs");
        await Expect(page.Locator("#outcome")).ToHaveTextAsync("Judge: rejected");
        await page.SelectOptionAsync("[name=flag]", "<b>flag</b>");
        await Expect(page.Locator("#found")).ToHaveTextAsync("1 pair");
        await page.ClickAsync("button[type=reset]");
        await Expect(page.Locator("#found")).ToHaveTextAsync("30 pairs");
        await page.Locator("#pair").FocusAsync();
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("kr subject 12");
        await Expect(page.Locator("#none")).ToBeVisibleAsync();
        await page.FillAsync("[name=text]", "SUBJECT 12 at");
        await Expect(page.Locator("#found")).ToHaveTextAsync("1 pair");
        await Expect(page.Locator("#id")).ToHaveTextAsync(TestRun.IdOf(12));
        await Expect(page.Locator("#progress")).ToContainTextAsync("0 of 30 reviewed");
    }

    [ChromiumFact]
    public async Task ListOfUnreviewedPairs_LosesNoneWhileTheyAreReviewed()
    {
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await page.SelectOptionAsync("[name=review]", "unreviewed");
        await Expect(page.Locator("#pair[aria-busy=false]")).ToBeVisibleAsync();
        await page.Locator("#pair").FocusAsync();
        for (int i = 0; i < 29; i++)
        {
            await Expect(page.Locator("#id")).ToHaveTextAsync(TestRun.IdOf(i));
            await page.Keyboard.PressAsync("k");
        }
        await Expect(page.Locator("#id")).ToHaveTextAsync(TestRun.IdOf(29));
        await page.Keyboard.PressAsync("k");
        await Expect(page.Locator("#said")).ToContainTextAsync("last pair");
        await Expect(page.Locator("#progress")).ToContainTextAsync("30 of 30 reviewed");
        await page.ClickAsync("#refresh");
        await Expect(page.Locator("#none")).ToBeVisibleAsync();
    }

    [ChromiumFact]
    public async Task WhileAListIsMade_NoVerdictIsTaken_AndAMoveDoesNotLoseTheList()
    {
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await Expect(page.Locator("#pair[aria-busy=false]")).ToBeVisibleAsync();
        TaskCompletionSource answer = new();
        await page.RouteAsync("**/api/lists?*", async route =>
        {
            await answer.Task;
            await route.ContinueAsync();
        });
        await page.SelectOptionAsync("[name=outcome]", "rejected");
        await page.Locator("#pair").FocusAsync();
        await page.Keyboard.PressAsync("k");
        await Expect(page.Locator("#said")).ToContainTextAsync("Not taken");
        await page.Keyboard.PressAsync("n");
        answer.SetResult();
        await Expect(page.Locator("#found")).ToHaveTextAsync("10 pairs");
        await Expect(page.Locator("#outcome")).ToHaveTextAsync("Judge: rejected");
        await Expect(page.Locator("#number")).ToHaveTextAsync("Pair 1 of 10");
        await Expect(page.Locator("#progress")).ToContainTextAsync("0 of 30 reviewed");
    }

    [ChromiumFact]
    public async Task JudgeUnseen_HidesItsVerdictUntilAPersonGaveOne()
    {
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await Expect(page.Locator("#verdict")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("b");
        await Expect(page.Locator("#verdict")).ToBeHiddenAsync();
        await Expect(page.Locator("#outcome")).ToHaveTextAsync("Judge: hidden");
        await Expect(page.Locator("#strip button").First).ToHaveTextAsync("hidden");
        await page.Keyboard.PressAsync("r");
        await page.Keyboard.PressAsync("p");
        await Expect(page.Locator("#outcome")).ToHaveTextAsync("Judge: kept");
        await Expect(page.Locator("#verdict")).ToBeVisibleAsync();

        // Clearing the filters leaves it as it is.
        await page.ClickAsync("button[type=reset]");
        // The new list begins at its first pair, whatever is pressed before it is there.
        await Expect(page.Locator("#pair[aria-busy=false]")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("n");
        await Expect(page.Locator("#outcome")).ToHaveTextAsync("Judge: hidden");
    }

    [ChromiumFact]
    public async Task HostileTexts_AreShownAsText()
    {
        (IPage page, List<string> complaints) = await browser.OpenAsync(_server.Address);
        await page.Keyboard.PressAsync("n");
        await Expect(page.Locator("#first-caption")).ToHaveTextAsync(TestRun.Hostile);
        await Expect(page.Locator("#verdict")).ToContainTextAsync(TestRun.Hostile);
        await Expect(page.Locator("#verdict .flags span").Nth(1)).ToHaveTextAsync("<b>flag</b>");
        await Expect(page.Locator("#first")).ToHaveAttributeAsync("alt", $"left: {TestRun.Hostile}");

        Assert.Equal(0, await page.Locator("#pair script, #verdict script, #verdict img, #verdict b:text('flag'), #filters b").CountAsync());
        Assert.DoesNotContain("hit", await page.TitleAsync(), StringComparison.Ordinal);
        Assert.Empty(complaints);
    }

    [ChromiumFact]
    public async Task Pictures_AreShown_AndAMissingOneIsTold()
    {
        File.Delete(Directory.EnumerateFiles(Path.Combine(_run.Folder, "grids"), "p001~0.*", SearchOption.AllDirectories).Single());
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        Assert.Equal(
            TestRun.PanelHeight,
            await page.EvaluateAsync<int>("async () => { const i = document.getElementById('second'); await i.decode(); return i.naturalHeight; }"));

        await page.Keyboard.PressAsync("n");
        await Expect(page.Locator("#second")).ToHaveAttributeAsync("alt", "The picture is gone or damaged.");
    }

    [ChromiumFact]
    public async Task Verdict_ThatCannotBeWritten_IsKeptInThePageUntilItCan()
    {
        using SqliteConnection other = new($"Data Source={RunFolder.LedgerFile(_run.Folder)};Pooling=False");
        other.Open();
        using SqliteCommand command = other.CreateCommand();
        command.CommandText = "CREATE TRIGGER full BEFORE INSERT ON reviews BEGIN SELECT RAISE(FAIL, 'the disk is full'); END";
        command.ExecuteNonQuery();
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await page.Keyboard.PressAsync("k");
        await page.Keyboard.PressAsync("r");
        await Expect(page.Locator("#trouble")).ToContainTextAsync("the disk is full");

        command.CommandText = "DROP TRIGGER full";
        command.ExecuteNonQuery();
        // The page tries again by itself too: on a slow machine the button is gone before a mouse gets there.
        await page.EvaluateAsync("() => document.getElementById('again').click()");
        await Expect(page.Locator("#trouble")).ToBeHiddenAsync();
        Assert.Equal([true, false], await Task.WhenAll(Enumerable.Range(0, 2).Select(_run.ReviewOfAsync)));
    }

    [ChromiumFact]
    public async Task Figures_FollowTheVerdicts()
    {
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await Expect(page.Locator("#figures")).ToContainTextAsync("no verdicts yet");
        await page.Keyboard.PressAsync("k");
        await Expect(page.Locator("#figures")).ToContainTextAsync("review rejected pairs too");
        await page.Keyboard.PressAsync("k");
        await Expect(page.Locator("#figures div").Nth(1)).ToContainTextAsync("100 %");
        await Expect(page.Locator("#figures div").Nth(2)).ToContainTextAsync("50 %");
    }

    [ChromiumFact]
    public async Task Focus_IsVisible_AndEveryControlHasAName()
    {
        (IPage page, _) = await browser.OpenAsync(_server.Address);
        await page.Keyboard.PressAsync("Tab");
        Assert.NotEqual("none", await page.EvaluateAsync<string>("() => getComputedStyle(document.activeElement).outlineStyle"));

        string[] nameless = await page.EvaluateAsync<string[]>("""
            () => [...document.querySelectorAll('button, input, select, img')]
              .filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.hasAttribute('alt')))
              .map(e => e.outerHTML)
            """);
        Assert.Empty(nameless);
    }

    [ChromiumFact]
    public async Task Layout_HasNoSidewaysScrolling_AndAllOfThePairAtOnce()
    {
        foreach ((int width, int height) in ((int, int)[])[(1280, 720), (1366, 768), (1920, 1080), (2560, 1440)])
        {
            (IPage page, _) = await browser.OpenAsync(_server.Address, ColorScheme.Dark, width, height);
            Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), $"{width} × {height}: scrolls sideways");
            Assert.True(
                await page.EvaluateAsync<bool>("() => document.getElementById('keep').getBoundingClientRect().bottom <= innerHeight"),
                $"{width} × {height}: the verdict's buttons lie below the fold");
            await page.Context.CloseAsync();
        }
    }

    [ChromiumFact]
    public async Task Export_OpensWithoutAServer_AndTakesNoVerdicts()
    {
        string folder = Path.Combine(_run.Folder, "page");
        await _run.ReviewAsync((0, false), (1, true));
        await ReviewExport.WriteAsync(_run.Folder, folder);
        (IPage page, List<string> complaints) = await browser.OpenAsync(new Uri(Path.Combine(folder, "index.html")));

        await Expect(page.Locator("#verdicts")).ToBeHiddenAsync();
        await Expect(page.Locator("#progress")).ToContainTextAsync("2 of 30 reviewed (1 kept)");
        await page.Keyboard.PressAsync("k");
        await Expect(page.Locator("#person")).ToHaveTextAsync("Person: reject");
        Assert.True(
            await page.EvaluateAsync<bool>("async () => { const i = document.getElementById('first'); await i.decode(); return i.naturalHeight > 0; }"));

        (string, string, string)[] filters =
        [
            ("outcome", "undecided", "10 pairs"),
            ("review", "disagreeing", "2 pairs"),
            ("flag", "text", "10 pairs"),
            ("judge", "stern", "20 pairs"),
        ];
        foreach ((string name, string value, string found) in filters)
        {
            await page.ClickAsync("button[type=reset]");
            await Expect(page.Locator("#found")).ToHaveTextAsync("30 pairs");
            await page.SelectOptionAsync($"[name={name}]", value);
            await Expect(page.Locator("#found")).ToHaveTextAsync(found);
        }
        await page.ClickAsync("button[type=reset]");
        await page.FillAsync("[name=text]", "GRÖSSE");
        await Expect(page.Locator("#found")).ToHaveTextAsync("0 pairs");
        await page.FillAsync("[name=text]", "GRÖßE");
        await page.FillAsync("[name=least]", "0.5");
        await Expect(page.Locator("#found")).ToHaveTextAsync("10 pairs");
        Assert.Empty(complaints);
    }
}
