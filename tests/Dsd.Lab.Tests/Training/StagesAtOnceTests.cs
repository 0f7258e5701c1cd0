using Dsd.Lab.Training;
using Dsd.Testing;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public class StagesAtOnceTests
{
    [Fact]
    public async Task Run_TrainsSeveralStagesOfOneFolderAtOnce()
    {
        using TemporaryFolder folder = new();
        TinyTrainingOptions options = Begin(folder);

        bool[] done = await Task.WhenAll(
            new[] { "vae", "text" }.Select(stage => Task.Run(() => TinyTraining.Run(options with { Stages = [stage] }, _ => { }))));

        Assert.Equal([true, true], done);
        Assert.Equal(["text.done", "tokenizers.done", "vae.done"], Named(folder, "*.done"));
        TinyFiles.LoadVae(options.OutFolder, TorchSharp.torch.CPU).Dispose();
        Assert.True(TinyFiles.HasText(options.OutFolder));
    }

    [Fact]
    public void Run_RefusesAStageThatIsTrainedAlready()
    {
        using TemporaryFolder folder = new();
        TinyTrainingOptions options = Begin(folder);
        IOException? refused = null;

        Assert.True(TinyTraining.Run(options with { Stages = ["text"] }, line =>
        {
            if (line == "text: begins")
            {
                refused = Assert.Throws<IOException>(() => TinyTraining.Run(options with { Stages = ["text"] }, _ => { }));
            }
        }));

        Assert.Contains("Stage text: another process trains it in this folder", refused?.Message);
        Assert.Equal(["text.done", "tokenizers.done"], Named(folder, "*.done"));
    }

    [Theory]
    [InlineData("judge")]
    [InlineData("classifier")]
    [InlineData("teacher")]
    public void Run_SaysThatAStageNeedsTheAutoencoder(string stage)
    {
        using TemporaryFolder folder = new();
        TinyTrainingOptions options = Begin(folder);

        FileNotFoundException error = Assert.Throws<FileNotFoundException>(() => TinyTraining.Run(options with { Stages = [stage] }, _ => { }));

        Assert.Contains("Run the stage vae first", error.Message);
    }

    [Fact]
    public void Run_GoesOnWithAnAutoencoderThatLiesInTheFolder()
    {
        using TemporaryFolder folder = new();
        TinyTrainingOptions options = Begin(folder) with { Stages = ["vae"] };
        List<string> said = [];
        Assert.True(TinyTraining.Run(options, said.Add));
        Assert.DoesNotContain("vae: continues from the weights in the folder", said);
        File.Delete(TinyTraining.Marker(folder.File("model", ".training"), "vae"));

        Assert.True(TinyTraining.Run(options, said.Add));

        Assert.Contains("vae: continues from the weights in the folder", said);
    }

    private static TinyTrainingOptions Begin(TemporaryFolder folder)
    {
        File.WriteAllText(folder.File("training.json"), TinyTrainingTests.Config);
        TinyTrainingOptions options = new() { OutFolder = folder.File("model"), ConfigFile = folder.File("training.json") };
        Assert.True(TinyTraining.Run(options with { Stages = ["tokenizers"] }, _ => { }));
        return options;
    }

    private static IEnumerable<string?> Named(TemporaryFolder folder, string pattern) =>
        Directory.GetFiles(folder.File("model", ".training"), pattern).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
