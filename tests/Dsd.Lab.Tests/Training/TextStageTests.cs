using Dsd.Curation.Grids;
using Dsd.Lab.Training;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.World;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public class TextStageTests(BegunModel begun)
{
    [Fact]
    public void Of_TellsWhatACaptionStatesAndLeavesOutTheRest()
    {
        Subject subject = WorldSampler.SampleSubject(new WorldRandom(1));
        Context context = new() { Scene = Scene.City, Pose = Pose.Sitting, Light = (Light)1 };
        StatedCaption caption = StatedCaption.Of(Captions.Stating(subject, 0b10, context, 0b10001, seed: 2), subject, [context]);
        int[] expected = new int[29];
        expected[1] = (int)subject.Color + 1;
        expected[9] = (int)Scene.City + 1;
        expected[13] = 2;
        Assert.Equal(expected, caption.Stated);
    }

    [Fact]
    public void Of_KeepsThePanelsOfAGridApart()
    {
        WorldGrid grid = WorldSampler.SampleGrid(new WorldRandom(3), GridLayout.TwoByTwo);
        Context[] contexts = [.. grid.Panels.Select(panel => panel.Context)];
        StatedCaption caption = StatedCaption.Of(Captions.Grid(grid, 4), grid.Subject, contexts);
        // A grid's prompt always states every panel's scene.
        Assert.Equal(contexts.Select(c => (int)c.Scene + 1), Enumerable.Range(0, 4).Select(panel => caption.Stated[9 + 5 * panel]));
    }

    [Fact]
    public void Draw_NeverShowsTrainingASubjectThatIsHeldOut()
    {
        WorldRandom random = new(5);
        foreach (StatedCaption caption in Enumerable.Range(0, 300).Select(_ => StatedCaption.Draw(random)).Where(c => c.Stated.Take(9).All(s => s > 0)))
        {
            Assert.False(WorldSampler.IsHeldOut(Subject.FromValues([.. caption.Stated.Take(9).Select(s => s - 1)])), caption.Text);
        }
    }

    [Fact]
    public void Run_TeachesBothEncodersToTellWhatCaptionsState()
    {
        using TemporaryFolder folder = new();
        string model = begun.CopyInto(folder);
        TinyTrainingTests.Train(folder, ["text"], TinyTrainingTests.Config, out _);
        string config = TinyTrainingTests.Config.Replace(
            "\"text\": { \"steps\": 2, \"batch\": 4, \"peak_learning_rate\": 0.001", "\"text\": { \"steps\": 60, \"batch\": 32, \"peak_learning_rate\": 0.01");
        string longer = begun.CopyInto(folder, "longer");
        TinyTrainingTests.Train(folder, ["text"], config, out List<string> said, "longer");
        Assert.True(File.Exists(Path.Combine(model, "text_encoder", "model.safetensors")));
        Assert.True(File.Exists(Path.Combine(longer, "text_encoder_2", "model.safetensors")));
        double[] losses = [.. said.Where(line => line.Contains("loss")).Select(line => double.Parse(line.Split("loss ")[1].Split(' ')[0]))];
        // Two encoders over about seven answers each: ignorance is about four, 'not stated' for everything less than half of it.
        Assert.InRange(losses[^1], 0, 2);
    }

    [Fact]
    public void Run_LeavesTheTextEncodersOfATeacherAlone()
    {
        using TemporaryFolder folder = new();
        string model = begun.CopyInto(folder);
        Directory.CreateDirectory(Path.Combine(model, "transformer"));
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(
            () => TinyTrainingTests.Train(folder, ["text"], TinyTrainingTests.Config, out _));
        Assert.Contains("would be overwritten", e.Message);
    }

    [Fact]
    public void Run_TheTeacherStartsWithTheEncodersThatCanRead()
    {
        using TemporaryFolder folder = new();
        string model = begun.CopyInto(folder);
        TinyTrainingTests.Train(folder, ["text"], TinyTrainingTests.Config, out _);
        TinyTrainingTests.Copy(TinyModel.JudgeFolder, Path.Combine(model, "judge"));
        TinyTrainingTests.Train(folder, ["teacher"], TinyTrainingTests.Config, out List<string> said);
        Assert.Contains("teacher: starts with text encoders that read captions already", said);
    }
}
