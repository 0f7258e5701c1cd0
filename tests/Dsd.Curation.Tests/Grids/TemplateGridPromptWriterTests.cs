using Dsd.Curation.Grids;

namespace Dsd.Curation.Tests.Grids;

public class TemplateGridPromptWriterTests
{
    private readonly TemplateGridPromptWriter _writer = new();

    [Fact]
    public void Write_RepeatsItselfForTheSameSeed() => Assert.Equal(
        _writer.Write(new GridPromptRequest("a fox") { Count = 8, Seed = 5 }).Select(p => p.Text),
        _writer.Write(new GridPromptRequest("a fox") { Count = 8, Seed = 5 }).Select(p => p.Text));

    [Fact]
    public void Write_PinsItsWordsAcrossVersions() => Assert.Equal(
        "a fox, on a train platform in the rain",
        _writer.Write(new GridPromptRequest("a fox") { Layout = GridLayout.OneByTwo, Seed = 1 })[0].Captions[0]);

    [Fact]
    public void Write_DiffersBetweenSeeds() => Assert.NotEqual(
        _writer.Write(new GridPromptRequest("a fox") { Seed = 1 })[0].Text, _writer.Write(new GridPromptRequest("a fox") { Seed = 2 })[0].Text);

    [Fact]
    public void Write_DiffersBetweenCaptionsInMoreThanTheSubject() => Assert.NotEqual(
        _writer.Write(new GridPromptRequest("a fox"))[0].Captions.Select(c => c.Replace("a fox", "")),
        _writer.Write(new GridPromptRequest("a cat"))[0].Captions.Select(c => c.Replace("a cat", "")));

    [Theory]
    [InlineData("1x2")]
    [InlineData("2x2")]
    [InlineData("3x3")]
    public void Write_NeverShowsAContextTwiceOnAGrid(string layout) => Assert.All(
        _writer.Write(new GridPromptRequest("a fox") { Count = 64, Layout = GridLayout.Parse(layout) }),
        prompt => Assert.Equal(prompt.Layout.Panels, prompt.Captions.Distinct().Count()));

    [Fact]
    public void Write_UsesEveryContextAndTemplateInALargeBatch()
    {
        IReadOnlyList<GridPrompt> prompts = _writer.Write(new GridPromptRequest("a fox") { Count = 64 });
        Assert.Equal(GridTemplates.Default.Contexts.Count, prompts.SelectMany(p => p.Captions).Distinct().Count());
        Assert.Equal(GridTemplates.Default.Grids.Count, prompts.Select(p => p.Text[..12]).Distinct().Count());
    }

    [Fact]
    public void Write_PutsTheCaptionIntoEveryPanel() => Assert.All(
        _writer.Write(new GridPromptRequest("a clay fox"))[0].Captions, caption => Assert.StartsWith("a clay fox", caption));

    [Fact]
    public void Write_RefusesMorePanelsThanContexts()
    {
        TemplateGridPromptWriter writer = new(GridTemplates.Default with { Contexts = ["here", "there", "there"] });
        Assert.Contains("2", Assert.Throws<ArgumentException>(() => writer.Write(new GridPromptRequest("a fox"))).Message);
    }

    [Fact]
    public void Write_NeverShowsAKindTwiceOnAGrid()
    {
        TemplateGridPromptWriter writer = new(
            GridTemplates.Default with { Contexts = ["sea 1", "sea 2", "sea 3", "home 1", "moon 1"], ContextKinds = ["sea", "sea", "sea", "home", "moon"] });
        Assert.All(
            writer.Write(new GridPromptRequest("a fox") { Count = 20, Layout = GridLayout.OneByTwo }),
            prompt => Assert.Equal(2, prompt.Captions.Select(caption => caption.Split(' ')[^2]).Distinct().Count()));
    }

    [Fact]
    public void Constructor_RefusesMoreKindsThanContexts() => Assert.Contains(
        "ContextKinds", Assert.Throws<ArgumentException>(
            () => new TemplateGridPromptWriter(GridTemplates.Default with { ContextKinds = ["sea", "home"] })).Message);

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    public void Request_RefusesAnEmptyCaption(string caption) => Assert.Throws<ArgumentException>(() => new GridPromptRequest(caption));

    [Fact]
    public void Request_RefusesAnEndlessCaption() => Assert.Throws<ArgumentException>(() => new GridPromptRequest(new string('a', 4001)));

    [Fact]
    public async Task WriteAsync_HonoursCancellation() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _writer.WriteAsync(new GridPromptRequest("a fox"), new CancellationToken(true)));
}
