using Dsd.Models.Weights;
using Dsd.Testing;
using Dsd.Tiny.Judge;

namespace Dsd.Tiny.Tests.Judge;

public class JudgeConfigTests
{
    [Fact]
    public void Load_ReadsWhatSaveWrites()
    {
        using TemporaryFolder folder = new();
        JudgeConfig config = JudgeConfig.ForWorld with { ImageSize = 64, Temperature = 1.5, SameThreshold = 0.3 };
        config.Save(folder.File("config.json"));
        JudgeConfig read = JudgeConfig.Load(folder.File("config.json"));
        Assert.Equal((64, 1.5, 0.3), (read.ImageSize, read.Temperature, read.SameThreshold));
        Assert.Equal(config.Channels, read.Channels);
        Assert.Equal(config.Attributes.Select(kind => (kind.Name, string.Join(',', kind.ValueNames))),
            read.Attributes.Select(kind => (kind.Name, string.Join(',', kind.ValueNames))));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"attributes":[]}""")]
    [InlineData("""{"attributes":[null]}""")]
    [InlineData("""{"attributes":[{"name":"a","value_names":["x"]}]}""")]
    [InlineData("""{"attributes":[{"name":"a","value_names":["x","y"]},{"name":"a","value_names":["x","y"]}]}""")]
    [InlineData("""{"attributes":[{"name":"a","value_names":["x","y"]}],"image_size":1000000}""")]
    [InlineData("""{"attributes":[{"name":"a","value_names":["x","y"]}],"channels":[32,64,100000]}""")]
    [InlineData("""{"attributes":[{"name":"a","value_names":["x","y"]}],"same_threshold":2}""")]
    public void Load_NamesTheFileThatDescribesNoJudge(string json)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("config.json"), json);
        Assert.Equal(folder.File("config.json"), Assert.Throws<WeightsException>(() => JudgeConfig.Load(folder.File("config.json"))).File);
    }
}
