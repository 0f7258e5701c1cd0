using Dsd.Curation.Tasks;

namespace Dsd.Runs.Tests;

public class RunOptionsTests
{
    // A folder that was begun with an earlier version goes on only if this stays as it is, byte for byte.
    [Theory]
    [InlineData("character", "ec5749667b232b75", "2x2")]
    [InlineData("comic", "aafa16b44f261720", "1x4")]
    [InlineData("relighting", "0d707f18af50acd7", "1x2")]
    public void Fingerprint_IsTheOneOfEarlierVersions(string task, string texts, string layout) => Assert.Equal(
        $$"""{"task":"{{task}}","texts":"{{texts}}","pairs":"Ordered","layout":"{{layout}}","prompts_per_caption":1,"seed":7"""
            + ""","cutting":{"PanelWidth":null,"PanelHeight":null,"MaxTrim":0.08,"Tolerance":10},"writer":"w","drawer":"d","judge":"j","depends_on":"x"}""",
        new RunOptions { Task = CurationTask.Load(task), Seed = 7, DependsOn = "x" }.Fingerprint("w", "d", "j"));

    [Fact]
    public void SeedOf_IsTheOneOfEarlierVersions() =>
        Assert.Equal(1854987783910884274, new RunOptions { Task = CurationTask.Load("character"), Seed = 7 }.SeedOf("p1"));
}
