using Dsd.Imaging;
using Dsd.Lab.Judge;
using Dsd.Lab.Training;
using Dsd.Models.Sampling;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Judge;

[Collection("Torch's random numbers")]
public class RedrawnPanelsTests
{
    private static readonly JudgeStageConfig Config = new() { Steps = 1, Batch = 4, PeakLearningRate = 1e-3, RedrawnSteps = 4 };

    [Fact]
    public void Draw_KeepsWhatNoiseDoesNotHide()
    {
        using TextToImagePipeline teacher = TextToImagePipeline.Load(TinyModel.Folder);
        WorldRandom random = new(5);
        Subject[] subjects = [WorldSampler.SampleSubject(random), WorldSampler.SampleSubject(random)];

        // The last step is the teacher's in any case; from full noise on, it draws a picture of its own.
        RedrawnPanels kept = Draw(teacher, subjects, 0);
        RedrawnPanels little = Draw(teacher, subjects, 0.5);
        RedrawnPanels much = Draw(teacher, subjects, 1);

        Assert.Equal(2, kept.Grids);
        Assert.Equal(subjects[1], kept.SubjectOf(1));
        Assert.Equal(TinyModel.PanelSize, kept.Grid(1).Right.Width);
        Assert.InRange(Apart(kept, little), 0.2, 8);
        Assert.InRange(Apart(kept, much), 2 * Apart(kept, little), 128);
    }

    [Fact]
    public void Take_GivesPanelsWithTheirValues_DecidedByTheStep()
    {
        using DisposeScope scope = NewDisposeScope();
        RedrawnPanels panels = Plain(3);
        (Tensor images, Tensor values) = panels.Take(7, 32, CPU);
        (Tensor again, Tensor same) = panels.Take(7, 32, CPU);

        Assert.Equal([32, 3, 32, 32], images.shape);
        Assert.True(images.equal(again).all().item<bool>() && values.equal(same).all().item<bool>());
        Assert.False(images.equal(panels.Take(8, 32, CPU).Images).all().item<bool>());
        for (int i = 0; i < 32; i++)
        {
            // Each grid is grey of its own.
            int grid = (int)Math.Round((images[i].mean().item<float>() + 1) * 127.5 / 50);
            Assert.Equal(panels.SubjectOf(grid).Values.Select(value => (long)value), values[i].data<long>().ToArray());
        }
    }

    [Fact]
    public void Run_LearnsFromThem_AndIsMeasuredOnThem()
    {
        using TemporaryFolder drawings = new();
        using TemporaryFolder both = new();
        JudgeTrainingOptions options = new()
        {
            Folder = drawings.Path,
            Config = JudgeConfig.ForWorld with { ImageSize = 32, Channels = [8, 16, 16] },
            Steps = 3,
            Batch = 8,
            HeldOutPairs = 16,
        };
        JudgeTraining.Run(options);
        JudgeTrainingReport report = JudgeTraining.Run(options with { Folder = both.Path, Redrawn = Plain(4), HeldOutRedrawn = Plain(4) });

        Assert.True(report.Complete);
        Assert.NotEqual(File.ReadAllBytes(drawings.File("model.safetensors")), File.ReadAllBytes(both.File("model.safetensors")));
    }

    [Fact]
    public void Stage_SaysThatItNeedsATeacher()
    {
        using TemporaryFolder folder = new();
        TinyTrainingConfig config = TinyTrainingConfig.Load(TinyTrainingConfig.DefaultFile);
        StageContext context = new(
            config with { Judge = config.Judge with { Redrawn = 4 } }, folder.Path, [CPU], DateTime.MaxValue, _ => { }, CancellationToken.None);
        Assert.Contains("Run the stage teacher first", Assert.Throws<FileNotFoundException>(() => JudgeStage.Run(context)).Message);
    }

    private static RedrawnPanels Draw(TextToImagePipeline teacher, Subject[] subjects, double from) => RedrawnPanels.Draw(
        teacher, TinyModel.PanelSize, subjects, Config with { RedrawnLeast = from, RedrawnMost = from }, 3.5f, 9, CancellationToken.None);

    private static double Apart(RedrawnPanels one, RedrawnPanels other) =>
        Enumerable.Range(0, one.Grids).Average(i =>
        {
            (byte[] a, byte[] b) = (one.Grid(i).Left.Pixels.ToArray(), other.Grid(i).Left.Pixels.ToArray());
            return a.Zip(b).Average(pair => Math.Abs(pair.First - pair.Second));
        });

    /// <summary>Grids whose panels are plain grey: 0, 50, 100 …</summary>
    private static RedrawnPanels Plain(int grids)
    {
        WorldRandom random = new(3);
        return new RedrawnPanels(
            32,
            [.. Enumerable.Range(0, 2 * grids).Select(i => new Picture(32, 32, [.. Enumerable.Repeat((byte)(i / 2 * 50), 3 * 32 * 32)]))],
            [.. Enumerable.Range(0, grids).Select(_ => WorldSampler.SampleSubject(random))]);
    }
}
