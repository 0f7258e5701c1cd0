using Dsd.Curation.Chat;
using Dsd.Curation.Enhancing;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Tests.Enhancing;

public sealed class PromptEnhancerTests
{
    private static readonly Picture Reference = TestPictures.Plain(40, 20, (1, 2, 3));

    [Fact]
    public async Task Enhance_ShowsPromptAndReference_AndTakesTheAnswer()
    {
        CallbackChatClient client = new("```json\n{\"prompt\": \" a red fox with a scarf on the moon \"}\n```");

        EnhancedPrompt enhanced = await new PromptEnhancer(client, new PromptEnhancerOptions { MaxImageSide = 32 }).EnhanceAsync("this \"fox\"", Reference);

        Assert.Equal(
            ("this \"fox\"", "a red fox with a scarf on the moon", null, 1), (enhanced.Asked, enhanced.Prompt, enhanced.Failure, enhanced.Attempts));
        IReadOnlyList<ChatMessage> asked = client.Calls[0].Messages;
        Assert.Contains("reference picture", asked[0].Text, StringComparison.Ordinal);
        Assert.Equal("Prompt: \"this \\u0022fox\\u0022\"", asked[1].Text);
        Assert.Equal((32, 16), Picture.SizeOf(asked[1].Contents.OfType<DataContent>().Single().Data.Span, "sent"));
        ChatOptions options = client.Calls[0].Options!;
        Assert.Equal(PromptEnhancer.SchemaName, Assert.IsType<ChatResponseFormatJson>(options.ResponseFormat).SchemaName);
        Assert.NotNull(options.Seed);
    }

    [Fact]
    public async Task Enhance_AfterAnAnswerThatCannotBeRead_AsksOnceMore()
    {
        CallbackChatClient client = new("Sure: a fox.", """{"prompt": "a red fox"}""");

        EnhancedPrompt enhanced = await new PromptEnhancer(client).EnhanceAsync("this fox", Reference);

        Assert.Equal(("a red fox", 2), (enhanced.Prompt, enhanced.Attempts));
    }

    [Theory]
    [InlineData("Sure: a fox.")]
    [InlineData("""{"prompt": ""}""")]
    [InlineData("""{"prompt": "one\ntwo"}""")]
    [InlineData("""{"prompt": "a fox that is much too long"}""")]
    [InlineData("""{"prompt": "a fox", "more": 1}""")]
    public async Task Enhance_WhenNoAnswerCanBeRead_LeavesThePrompt_AndSaysSo(string answer)
    {
        EnhancedPrompt enhanced = await new PromptEnhancer(new CallbackChatClient(answer), new PromptEnhancerOptions { MostCharacters = 20 })
            .EnhanceAsync("this fox", Reference);

        Assert.Equal(("this fox", "this fox", 2), (enhanced.Asked, enhanced.Prompt, enhanced.Attempts));
        Assert.StartsWith("The prompt stays as it is, since it could not be enhanced: no answer could be read: ", enhanced.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enhance_WhenTheRequestFails_LeavesThePrompt_AndSaysWhy()
    {
        CallbackChatClient client = new((_, _, _) => throw new ChatFailedException("status 401", mayPass: false));

        EnhancedPrompt enhanced = await new PromptEnhancer(client).EnhanceAsync("this fox", Reference);

        Assert.Equal(("this fox", 0), (enhanced.Prompt, enhanced.Attempts));
        Assert.Contains("status 401", enhanced.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enhance_WhenCancelled_IsNoFailure()
    {
        using CancellationTokenSource cancel = new();
        CallbackChatClient client = new((_, _, token) =>
        {
            cancel.Cancel();
            token.ThrowIfCancellationRequested();
            return Task.FromResult("");
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new PromptEnhancer(client).EnhanceAsync("this fox", Reference, cancel.Token));
    }

    [Fact]
    public async Task Instructions_CanBeReplaced()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "Write it as a poem.");
            CallbackChatClient client = new("""{"prompt": "a fox, a fox"}""");

            await new PromptEnhancer(client, new PromptEnhancerOptions { InstructionsFile = file }).EnhanceAsync("this fox", Reference);

            Assert.Equal("Write it as a poem.", client.Calls[0].Messages[0].Text);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void TheEnhancer_IsARoleOfItsOwn_ElseTheFirstThatJudges()
    {
        ChatSettings settings = ChatSettings.Only("judge");
        List<string> asked = [];
        IChatClient Known(string name)
        {
            asked.Add(name);
            return new CallbackChatClient("");
        }
        ChatRoles.OpenEnhancer(settings, Known).Client.Dispose();
        ChatRoles.OpenEnhancer(settings with { Enhancer = "other" }, Known).Client.Dispose();

        Assert.Equal(["judge", "other"], asked);
        Assert.Equal(settings.Fingerprint(), (settings with { Enhancer = "other" }).Fingerprint());
        Assert.Contains(
            "'nobody' as Enhancer",
            Assert.Throws<InvalidDataException>(() => ChatRoles.OpenEnhancer(settings with { Enhancer = "nobody" })).Message, StringComparison.Ordinal);
    }
}
