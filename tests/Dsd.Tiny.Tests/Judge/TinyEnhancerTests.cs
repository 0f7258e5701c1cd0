using Dsd.Curation.Enhancing;
using Dsd.Imaging;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using Microsoft.Extensions.AI;

namespace Dsd.Tiny.Tests.Judge;

/// <summary>The embedded enhancer, asked as large models are.</summary>
[Collection("Torch's random numbers")]
public sealed class TinyEnhancerTests : IDisposable
{
    private const int Many = 20;

    private readonly TinyEnhancer _client = TinyEnhancer.Load();
    private readonly WorldRandom _random = new(21);

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Enhance_NamesTheSubjectOfTheReference_AndKeepsWhatIsAskedFor()
    {
        (int right, int all) = (0, 0);
        for (int i = 0; i < Many; i++)
        {
            Subject subject = WorldSampler.SampleSubject(_random, heldOut: true);
            Picture reference = Renderer.Draw(subject, WorldSampler.SampleContext(_random));
            string prompt = Captions.Edit(WorldSampler.SampleContext(_random), _random.NextBits()).Text;

            EnhancedPrompt enhanced = await new PromptEnhancer(_client).EnhanceAsync(prompt, reference);

            Assert.Null(enhanced.Failure);
            Assert.InRange(Captions.CountTokens(enhanced.Prompt), 1, Captions.MaxTokens);
            IReadOnlyDictionary<int, int> stated = StatedAttributes.Of(enhanced.Prompt);
            Assert.All(StatedAttributes.Of(prompt), asked => Assert.Equal(asked.Value, stated[asked.Key]));
            int[] values = subject.Values;
            all += stated.Count(s => s.Key < values.Length);
            right += stated.Count(s => s.Key < values.Length && s.Value == values[s.Key]);
        }

        // A plain pattern and nothing worn have no colour to state.
        Assert.True(all >= 6 * Many, $"{all} attributes stated");
        Assert.True(right >= 0.95 * all, $"{right} of {all} right");
    }

    [Fact]
    public async Task Enhance_GoesByThePromptWhereItSaysSomethingOfTheSubject()
    {
        Subject red = WorldSampler.Subjects(3).First(s => s.Color == BodyColor.Red);
        Picture reference = Renderer.Draw(red, WorldSampler.SampleContext(_random));

        EnhancedPrompt enhanced = await new PromptEnhancer(_client).EnhanceAsync("this creature, a blue one, in the snow", reference);

        int color = StatedAttributes.Of(enhanced.Prompt)[1];
        Assert.Equal((int)BodyColor.Blue, color);
        Assert.DoesNotContain("red", enhanced.Prompt, StringComparison.Ordinal);
        Assert.EndsWith(", a blue one, in the snow", enhanced.Prompt, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("in the snow", "in the snow, a")]
    [InlineData("", "a")]
    [InlineData("A Monster at night", "a")]
    public async Task Enhance_OfAnyPrompt_NamesTheSubject(string prompt, string begins)
    {
        Picture reference = Renderer.Draw(WorldSampler.Subjects(4).First(), WorldSampler.SampleContext(_random));

        EnhancedPrompt enhanced = await new PromptEnhancer(_client).EnhanceAsync(prompt, reference);

        Assert.Null(enhanced.Failure);
        Assert.StartsWith(begins, enhanced.Prompt, StringComparison.Ordinal);
        Assert.True(StatedAttributes.Of(enhanced.Prompt).Count(s => s.Key < Subject.Kinds.Count) >= 5, enhanced.Prompt);
    }

    [Fact]
    public async Task WhatIsNoSuchQuestion_IsRefused() =>
        await Assert.ThrowsAsync<ArgumentException>(() => _client.GetResponseAsync([new ChatMessage(ChatRole.User, "hello")]));
}
