using Dsd.CommandLine;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tiny;

namespace Dsd.Lab.Tests.Commands;

public sealed class EnhanceCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Enhance_WritesBothSystemsInDreamBenchsLayout()
    {
        CliResult result = await Cli.Run("enhance", "--subjects", "1", "--prompts", "2", "--steps", "1", "--out", _folder.File("out"));

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        DreamBenchFolder asked = DreamBenchFolder.Open(_folder.File("out/asked"));
        DreamBenchFolder enhanced = DreamBenchFolder.Open(_folder.File("out/enhanced"));
        Assert.Equal(["animal_000-0", "animal_000-1"], asked.Items.Select(i => i.Key));
        Assert.Equal(asked.Items.Select(i => i.Text), enhanced.Items.Select(i => i.Text));
        Assert.All(asked.Items.Zip(enhanced.Items), pair =>
        {
            Assert.Equal(TinyModel.PanelSize, Picture.Load(pair.First.Generated).Width);
            Assert.NotEqual(File.ReadAllBytes(pair.First.Generated), File.ReadAllBytes(pair.Second.Generated));
        });
    }
}
