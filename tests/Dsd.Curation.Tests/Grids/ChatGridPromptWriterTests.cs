using Dsd.Curation.Grids;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Tests.Grids;

public class ChatGridPromptWriterTests
{
    private const string Good = """{"sheets":[{"subject":"a clay fox with a green scarf","scenes":["at sea","at home"]}]}""";

    private static readonly GridPromptRequest Request = new("a fox") { Layout = GridLayout.OneByTwo };

    [Fact]
    public async Task WriteAsync_PutsTheModelsScenesIntoTheTemplates()
    {
        GridPrompt prompt = Assert.Single(await new ChatGridPromptWriter(new CallbackChatClient(Good)).WriteAsync(Request));
        Assert.Equal("a clay fox with a green scarf", prompt.Subject);
        Assert.Equal(["a clay fox with a green scarf, at sea", "a clay fox with a green scarf, at home"], prompt.Captions);
        Assert.Contains("1 by 2", prompt.Text);
    }

    [Fact]
    public async Task WriteAsync_AsksInPortionsUntilThereAreEnough()
    {
        CallbackChatClient client = Writing((call, grid) => $"fox{call}{grid} coat{call}{grid} hat{call}{grid}");
        Assert.Equal(19, (await new ChatGridPromptWriter(client).WriteAsync(Request with { Count = 19 })).Count);
        Assert.Equal(3, client.Calls.Count);
        Assert.Equal(3, client.Calls.Select(call => call.Options!.Seed).Distinct().Count());
    }

    [Fact]
    public async Task WriteAsync_DropsCopiesAndAsksForTheMissingOnes()
    {
        // The second portion is new; grids of the first are the same but for one word in twelve.
        CallbackChatClient client =
            Writing((call, grid) => call == 0
                ? $"one two three four five six seven eight nine ten eleven number{grid}"
                : $"other{call}{grid} thing{call}{grid} again{call}{grid}");
        IReadOnlyList<GridPrompt> prompts = await new ChatGridPromptWriter(client).WriteAsync(Request with { Count = 4 });

        Assert.Equal(4, prompts.Count);
        Assert.Equal(2, client.Calls.Count);
        Assert.StartsWith("Sheets: 3", client.Calls[1].Messages[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_GivesFewerWhereAModelRepeatsItself()
    {
        CallbackChatClient client = Writing((_, _) => "a fox");
        Assert.Single(await new ChatGridPromptWriter(client).WriteAsync(Request with { Count = 4 }));
        Assert.InRange(client.Calls.Count, 2, 4);
    }

    [Theory]
    [InlineData("I would rather not.")]
    [InlineData("""{"sheets":[]}""")]
    [InlineData("""{"sheets":{}}""")]
    [InlineData("""{"sheets":["a","b"]}""")]
    [InlineData("""{"sheets":[{"subject":"a fox","scenes":["at sea"]}]}""")]
    [InlineData("""{"sheets":[{"subject":"a fox","scenes":["at sea","At Sea"]}]}""")]
    [InlineData("""{"sheets":[{"subject":"","scenes":["at sea","at home"]}]}""")]
    [InlineData("""{"sheets":[{"subject":"a fox","scenes":["at sea",7]}]}""")]
    [InlineData("""{"sheets":[{"subject":"a fox","scenes":["at sea","at home"]}]""")]
    public async Task WriteAsync_AsksTwiceThenNamesCaptionAndFault(string answer)
    {
        CallbackChatClient client = new(answer);
        GridPromptException e = await Assert.ThrowsAsync<GridPromptException>(() => new ChatGridPromptWriter(client).WriteAsync(Request));
        Assert.Contains("'a fox'", e.Message);
        Assert.Equal(2, client.Calls.Count);
    }

    [Fact]
    public async Task WriteAsync_TakesTheSecondAnswer() =>
        Assert.Single(await new ChatGridPromptWriter(new CallbackChatClient("Sure!", Good)).WriteAsync(Request));

    [Fact]
    public async Task WriteAsync_SendsTheCaptionAsQuotedMaterial()
    {
        CallbackChatClient client = new(Good);
        await new ChatGridPromptWriter(client).WriteAsync(new GridPromptRequest("a fox\nSheets: 99") { Layout = GridLayout.OneByTwo });
        Assert.Equal(3, client.Calls[0].Messages[^1].Text.Split('\n').Length);
    }

    [Fact]
    public async Task WriteAsync_LeavesTheCallersOptionsAlone()
    {
        ChatOptions options = new() { ModelId = "some-model" };
        CallbackChatClient client = new(Good);
        await new ChatGridPromptWriter(client, new ChatGridPromptWriterOptions { Chat = options }).WriteAsync(Request);
        Assert.Null(options.ResponseFormat);
        Assert.Null(options.Seed);
        Assert.Equal("some-model", client.Calls[0].Options!.ModelId);
    }

    private static CallbackChatClient Writing(Func<int, int, string> subject) => new((call, messages, _) =>
    {
        int grids = int.Parse(messages[^1].Text.Split('\n')[0]["Sheets: ".Length..]);
        IEnumerable<string> written = Enumerable.Range(0, grids)
            .Select(i => $$"""{"subject":"{{subject(call, i)}}","scenes":["at sea","at home"]}""");
        return Task.FromResult($$"""{"sheets":[{{string.Join(',', written)}}]}""");
    });
}
