using Dsd.Curation.Grids;

namespace Dsd.Curation.Tests.Grids;

public class GridTemplatesTests
{
    private static readonly GridTemplates Templates = new()
    {
        Grids = ["{count} panels, {rows} by {columns}: {panels}", "of {subject}: {panels}"],
        Panel = "{number} ({position}) {caption}",
        Caption = "{subject} {context}",
        Separator = "; ",
        Contexts = ["at sea", "at home", "in {braces}"],
    };

    [Fact]
    public void Compose_FillsEveryPlaceholder() => Assert.Equal(
        "2 panels, 1 by 2: 1 (left) a fox at sea; 2 (right) a fox at home",
        Templates.Compose("a fox", ["at sea", "at home"], GridLayout.OneByTwo).Text);

    [Theory]
    [InlineData("a fox", "four of the same fox")]
    [InlineData("An owl", "four of the same owl")]
    [InlineData("the theatre", "four of the same theatre")]
    [InlineData("another fox", "four of the same another fox")]
    public void Compose_LeavesTheArticleOfANounOut(string subject, string expected) => Assert.StartsWith(
        expected, (Templates with { Grids = ["{count_word} of the same {noun}: {panels}"] }).Compose(subject, ["1", "2", "3", "4"], GridLayout.TwoByTwo).Text);

    [Fact]
    public void Compose_GivesOneCaptionAPanel() => Assert.Equal(
        ["a fox at home", "a fox at sea"], Templates.Compose("a fox", ["at home", "at sea"], GridLayout.OneByTwo).Captions);

    [Fact]
    public void Compose_NeverFillsWhatWasFilledIn() => Assert.Equal(
        "of {panels}: 1 (left) {panels} in {braces}; 2 (right) {panels} at sea",
        Templates.Compose("{panels}", ["in {braces}", "at sea"], GridLayout.OneByTwo, grid: 1).Text);

    [Fact]
    public void Compose_RefusesTheWrongNumberOfContexts() =>
        Assert.Throws<ArgumentException>(() => Templates.Compose("a fox", ["at sea"], GridLayout.OneByTwo));

    [Fact]
    public void Grids_RefuseATemplateWithoutPanels() =>
        Assert.Contains("{panels}", Assert.Throws<ArgumentException>(() => Templates with { Grids = ["a grid"] }).Message);

    [Fact]
    public void Load_TakesDefaultsForWhatTheFileLeavesOut()
    {
        string file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");
        File.WriteAllText(file, """{"sheets":["{panels}"],"panel":"{caption}","caption":"{context}","contexts":["a","b"]}""");
        try
        {
            Assert.Equal(" ", GridTemplates.Load(file).Separator);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("{", "misses its end")]
    [InlineData("""{"sheets":["{panels}"],"panel":"{caption}","caption":"{context}","contexts":["a","b"],"extra":1}""", "unknown field")]
    [InlineData("""{"sheets":["{panels} {wrong}"],"panel":"{caption}","caption":"{context}","contexts":["a","b"]}""", "unknown placeholder")]
    [InlineData("""{"sheets":["{panels}"],"panel":"{caption}","contexts":["a","b"]}""", "no caption")]
    [InlineData("""{"sheets":["{panels}"],"panel":"{caption}","caption":"{context}","contexts":["a",""]}""", "empty context")]
    public void Load_NamesTheFileOfBadTemplates(string json, string what)
    {
        string file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");
        File.WriteAllText(file, json);
        try
        {
            Assert.True(Assert.Throws<InvalidDataException>(() => GridTemplates.Load(file)).Message.Contains(file), what);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
