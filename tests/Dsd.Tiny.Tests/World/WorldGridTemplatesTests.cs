using Dsd.Curation.Grids;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests.World;

public class WorldGridTemplatesTests
{
    private readonly TemplateGridPromptWriter _writer = new(WorldGridTemplates.Templates);

    [Theory]
    [InlineData("1x2")]
    [InlineData("2x2")]
    public void Templates_StayWithinTheTeachersTokens(string layout) => Assert.All(
        _writer.Write(new GridPromptRequest("a round red creature with white stripes, bunny ears and a green top hat")
        {
            Layout = GridLayout.Parse(layout),
            Count = 200,
        }),
        prompt => Assert.InRange(Captions.CountTokens(prompt.Text), 1, Captions.MaxTokens));

    [Theory]
    [InlineData("1x2")]
    [InlineData("2x2")]
    public void Templates_UseNoWordThatTheTeacherDoesNotKnow(string layout)
    {
        HashSet<string> known = [.. Captions.Corpus(1).Take(6000).SelectMany(Words)];
        IReadOnlyList<GridPrompt> prompts = _writer.Write(new GridPromptRequest("a creature") { Layout = GridLayout.Parse(layout), Count = 200 });
        Assert.Empty(prompts.SelectMany(prompt => Words(prompt.Text).Concat(prompt.Captions.SelectMany(Words))).Except(known));
    }

    [Fact]
    public void Templates_LabelPanelsAsInTraining() => Assert.Equal(
        "the same red creature in two pictures. left: x. right: y.",
        WorldGridTemplates.Templates.Compose("a red creature", ["x", "y"], GridLayout.OneByTwo, grid: 3).Text);

    private static IEnumerable<string> Words(string text) => text.Split([' ', '.', ',', ':'], StringSplitOptions.RemoveEmptyEntries);
}
