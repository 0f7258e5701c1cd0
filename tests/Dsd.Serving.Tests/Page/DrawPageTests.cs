using Dsd.Extensions.AI;
using Dsd.Imaging;
using Dsd.Review.Tests.Page;
using Dsd.Serving.Tests.Http;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.World;
using Microsoft.Playwright;

namespace Dsd.Serving.Tests.Page;

/// <summary>The page in a headless browser, with the embedded student behind it.</summary>
[Collection(TinyStudent.Collection)]
public sealed class DrawPageTests(TinyStudent tiny, Browser browser) : IClassFixture<Browser>, IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private ImageHost _host = null!;

    private string First => _folder.File("first.png");

    private string Second => _folder.File("second.png");

    public async Task InitializeAsync()
    {
        await File.WriteAllBytesAsync(First, TinyStudent.FirstReference);
        await File.WriteAllBytesAsync(Second, TinyStudent.SecondReference);
        _host = await ImageHost.StartAsync(tiny.Generator);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [ChromiumFact]
    public async Task SeedsAndGuidances_BecomeAGrid_OfWhichEachPictureCanBeDownloaded()
    {
        (IPage page, List<string> complaints) = await OpenAsync(_host.Address);
        await Expect(page.Locator("#model")).ToHaveTextAsync("tiny");
        await page.Locator("#file").SetInputFilesAsync(First);
        await page.GetByLabel("Prompt", new() { Exact = true }).FillAsync("on a beach");
        await page.Locator("#guidances").FillAsync("1 2");
        await page.Locator("#steps").FillAsync("4");
        await page.Locator("#previews").FillAsync("2");
        await page.Locator("#draw").ClickAsync();

        await Expect(page.Locator("#status")).ToHaveTextAsync("4 drawn.", new() { Timeout = 120_000 });

        await Expect(page.Locator("#grid th")).ToHaveTextAsync(["", "guidance 1", "guidance 2", "seed 0", "seed 1"]);
        Assert.Equal(4, await page.Locator("#grid .view:enabled img").CountAsync());
        IDownload download = await page.RunAndWaitForDownloadAsync(() => page.GetByText("Download").Nth(3).ClickAsync());
        Assert.Equal("dsd-seed1-guidance2.png", download.SuggestedFilename);
        Picture saved = Picture.Load(await download.PathAsync());
        Microsoft.Extensions.AI.ImageGenerationOptions same = new Microsoft.Extensions.AI.ImageGenerationOptions()
            .With("seed", 1).With("steps", 4).With("text_guidance", 2).With("image_guidance", 1);
        DsdImages expected = (DsdImages)(await tiny.Generator.GenerateAsync(
            new("on a beach", [new Microsoft.Extensions.AI.DataContent(TinyStudent.FirstReference, "image/png")]), same)).RawRepresentation!;
        Assert.Equal(expected.Pictures[0].Pixels.ToArray(), saved.Pixels.ToArray());
        Assert.Empty(complaints);
    }

    [ChromiumFact]
    public async Task AnotherReference_DroppedOnThePage_GivesAnotherPicture()
    {
        (IPage page, List<string> complaints) = await OpenAsync(_host.Address);
        await page.Locator("#rows").FillAsync("1");
        await page.Locator("#guidances").FillAsync("1");
        List<string> pictures = [];
        foreach (string file in new[] { First, Second })
        {
            await DropAsync(page, file);
            await Expect(page.Locator("#shown")).ToBeVisibleAsync();
            await page.Locator("#draw").ClickAsync();
            await Expect(page.Locator("#status")).ToHaveTextAsync("1 drawn.", new() { Timeout = 60_000 });
            IDownload download = await page.RunAndWaitForDownloadAsync(() => page.GetByText("Download").First.ClickAsync());
            pictures.Add(Convert.ToHexString(Picture.Load(await download.PathAsync()).Pixels));
            await page.Locator("#status").EvaluateAsync("e => e.textContent = ''");
        }

        Assert.NotEqual(pictures[0], pictures[1]);
        Assert.Empty(complaints);
    }

    [ChromiumFact]
    public async Task APicture_OpensBesideItsReference_AndBecomesOne()
    {
        (IPage page, List<string> complaints) = await OpenAsync(_host.Address);
        await page.Locator("#file").SetInputFilesAsync(First);
        await page.Locator("#rows").FillAsync("1");
        await page.Locator("#guidances").FillAsync("1");
        await page.Locator("#draw").ClickAsync();
        await page.Locator("#grid .view:enabled").ClickAsync(new() { Timeout = 60_000 });

        await Expect(page.Locator("#large-title")).ToHaveTextAsync("seed 0, guidance 1");
        await Expect(page.Locator("#large-reference img")).ToBeVisibleAsync();
        string before = (await page.Locator("#shown").GetAttributeAsync("src"))!;
        await page.Locator("#large-use").ClickAsync();

        await Expect(page.Locator("#large")).ToBeHiddenAsync();
        await Expect(page.Locator("#shown")).Not.ToHaveAttributeAsync("src", before);
        Assert.Empty(complaints);
    }

    [ChromiumFact]
    public async Task Stop_EndsTheDrawing_AndSaysSo()
    {
        HeldModel model = new();
        using DsdImageGenerator generator = new(model, null, TinyStudent.Quick with { Frame = TinyStudent.Quick.Frame! with { Steps = 20 } });
        await using ImageHost host = await ImageHost.StartAsync(generator);
        (IPage page, List<string> complaints) = await OpenAsync(host.Address);
        await page.Locator("#file").SetInputFilesAsync(First);
        await page.Locator("#draw").ClickAsync();
        await Until.Is(() => model.Begun == 1, "it begins");
        model.Let(5);
        await Expect(page.Locator("#grid .said").First).ToHaveTextAsync("step 5 of 20");

        await page.Locator("#stop").ClickAsync();

        await Expect(page.Locator("#status")).ToHaveTextAsync("Stopped; 0 drawn.");
        await Until.Is(() => model.Cancelled == 1, "its steps stop");
        Assert.Equal(5, model.Done);
        Assert.Empty(complaints);
    }

    [ChromiumFact]
    public async Task WhatIsWrong_IsSaid()
    {
        (IPage page, _) = await OpenAsync(_host.Address);
        await page.Locator("#draw").ClickAsync();
        await Expect(page.Locator("#trouble")).ToContainTextAsync("Choose a reference first");

        await page.Locator("#file").SetInputFilesAsync(First);
        await page.Locator("#width").FillAsync("1024");
        await page.Locator("#height").FillAsync("1024");
        await page.Locator("#draw").ClickAsync();

        await Expect(page.Locator("#trouble")).ToContainTextAsync("at most 65536 pixels");
    }

    [ChromiumFact]
    public async Task ATokenIsAskedFor()
    {
        const string Token = "0123456789abcdef-token";
        await using ImageHost host = await ImageHost.StartAsync(tiny.Generator, new DsdServingOptions { Token = Token });
        (IPage page, _) = await browser.NewAsync();
        await page.GotoAsync(host.Address.AbsoluteUri);
        await page.Locator("#token").FillAsync("a wrong one");
        await page.GetByText("Go on").ClickAsync();
        await Expect(page.Locator("#key-trouble")).ToContainTextAsync("missing or wrong");

        await page.Locator("#token").FillAsync(Token);
        await page.GetByText("Go on").ClickAsync();

        await Expect(page.Locator("#main")).ToBeVisibleAsync();
        await page.Locator("#file").SetInputFilesAsync(First);
        await page.Locator("#rows").FillAsync("1");
        await page.Locator("#guidances").FillAsync("1");
        await page.Locator("#draw").ClickAsync();
        await Expect(page.Locator("#status")).ToHaveTextAsync("1 drawn.", new() { Timeout = 60_000 });
    }

    /// <summary>The picture of docs/serving.md, and others to look at, into the folder that DSD_SCREENSHOTS names.</summary>
    [ScreenshotFact]
    public async Task Screenshots_AreTaken()
    {
        string folder = ScreenshotFactAttribute.Folder!;
        TinyModel.Register();
        using DsdImageGenerator generator = DsdImageGenerator.Open(new TorchImageModel(TinyModel.Name));
        await using ImageHost host = await ImageHost.StartAsync(generator);
        (string Name, ColorScheme Scheme, int Width, int Height)[] screens =
            [("light", ColorScheme.Light, 1180, 840), ("dark", ColorScheme.Dark, 1180, 800), ("narrow", ColorScheme.Light, 420, 900)];
        foreach ((string name, ColorScheme scheme, int width, int height) in screens)
        {
            (IPage page, _) = await browser.NewAsync(scheme, width, height);
            await page.GotoAsync(host.Address.AbsoluteUri);
            await Expect(page.Locator("#model")).ToHaveTextAsync("tiny");
            await page.Locator("#file").SetInputFilesAsync(First);
            await page.Locator("#prompt").FillAsync(Captions.Edit(WorldSampler.SampleContext(new WorldRandom(21)), 4).Text);
            await page.Locator("#steps").FillAsync(name == "narrow" ? "4" : "28");
            await page.Locator("#draw").ClickAsync();
            await Expect(page.Locator("#status")).ToHaveTextAsync(name == "dark" ? "Picture 3 of 6" : "6 drawn.", new() { Timeout = 200_000 });
            if (name == "dark")
            {
                await Expect(page.Locator("#grid .draft")).ToHaveCountAsync(1, new() { Timeout = 60_000 });
            }
            await page.EvaluateAsync("scrollTo(0, 0)");
            string file = Path.Combine(folder, $"{name}.jpg");
            await page.ScreenshotAsync(new() { Path = file, Type = ScreenshotType.Jpeg, Quality = 85, FullPage = name == "narrow" });
            if (name == "light")
            {
                await page.Locator("#grid .view").Nth(1).ClickAsync();
                await page.ScreenshotAsync(new() { Path = Path.Combine(folder, "large.jpg"), Type = ScreenshotType.Jpeg, Quality = 85 });
            }
        }
    }

    private async Task<(IPage Page, List<string> Complaints)> OpenAsync(Uri address)
    {
        (IPage page, List<string> complaints) = await browser.NewAsync();
        await page.GotoAsync(address.AbsoluteUri);
        await Expect(page.Locator("#main")).ToBeVisibleAsync();
        return (page, complaints);
    }

    private static async Task DropAsync(IPage page, string file)
    {
        IJSHandle transfer = await page.EvaluateHandleAsync(
            """
            base64 => {
              const transfer = new DataTransfer();
              const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
              transfer.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
              return transfer;
            }
            """,
            Convert.ToBase64String(await File.ReadAllBytesAsync(file)));
        await page.Locator("#drop").DispatchEventAsync("drop", new { dataTransfer = transfer });
    }

    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);
}

/// <summary>Skipped where nobody asked for pictures of the page.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ScreenshotFactAttribute : FactAttribute
{
    public ScreenshotFactAttribute() => Skip = Folder is null || ChromiumFactAttribute.Chromium is null
        ? "Takes pictures of the page where the environment variable DSD_SCREENSHOTS names a folder for them."
        : null;

    public static string? Folder { get; } = Environment.GetEnvironmentVariable("DSD_SCREENSHOTS") is { Length: > 0 } folder ? folder : null;
}
