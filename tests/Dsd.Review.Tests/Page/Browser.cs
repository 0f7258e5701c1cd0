using Microsoft.Playwright;

namespace Dsd.Review.Tests.Page;

/// <summary>One headless Chromium for all tests of a class, with a profile of its own that goes when it ends.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        // Without Chromium all tests of the class are skipped.
        if (ChromiumFactAttribute.Chromium is { } program)
        {
            _playwright = await Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = program,
                Args =
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync",
                ],
            });
        }
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }
        _playwright?.Dispose();
    }

    /// <summary>The review page, open.</summary>
    public async Task<(IPage Page, List<string> Complaints)> OpenAsync(Uri address, ColorScheme scheme = ColorScheme.Light, int width = 1366, int height = 768)
    {
        (IPage page, List<string> complaints) = await NewAsync(scheme, width, height);
        await page.GotoAsync(address.AbsoluteUri);
        await Assertions.Expect(page.Locator("#number")).ToContainTextAsync("Pair 1 of");
        return (page, complaints);
    }

    /// <summary>A new page in a context of its own, and what it complains of: faults of scripts and what its policy blocks.</summary>
    public async Task<(IPage Page, List<string> Complaints)> NewAsync(ColorScheme scheme = ColorScheme.Light, int width = 1366, int height = 768)
    {
        IBrowserContext context = await _browser!.NewContextAsync(
            new BrowserNewContextOptions { ColorScheme = scheme, ViewportSize = new ViewportSize { Width = width, Height = height } });
        IPage page = await context.NewPageAsync();
        List<string> complaints = [];
        page.PageError += (_, error) => complaints.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                complaints.Add(message.Text);
            }
        };
        return (page, complaints);
    }
}
