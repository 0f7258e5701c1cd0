using Dsd.Lab.Tests.Study.Baselines;
using Dsd.Lab.Training;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.World;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public sealed class TeacherGridsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Plan_AsksForAPanelInWordsThatSayWhatTheGridsWordsSayOfIt(double wholeSubjectShare)
    {
        int stated = 0;
        foreach (GridPlan plan in TeacherGrids.Plan(Options(wholeSubjectShare)))
        {
            // A grid's prompt ends with a sentence for each panel.
            string[] sentences = plan.Grid.Split('.', StringSplitOptions.RemoveEmptyEntries);
            foreach ((string prompt, Context context, string sentence) in new[]
            {
                (plan.PromptA, plan.A, sentences[^2]),
                (plan.PromptB, plan.B, sentences[^1]),
            })
            {
                foreach ((string[][] words, int value) in new[]
                {
                    (CaptionVocabulary.Poses, (int)context.Pose), (CaptionVocabulary.Placements, (int)context.Placement),
                        (CaptionVocabulary.Scales, (int)context.Scale),
                    (CaptionVocabulary.Lights, (int)context.Light),
                })
                {
                    bool inPrompt = words[value].Any(w => prompt.Contains(w, StringComparison.Ordinal));
                    Assert.True(inPrompt == words[value].Any(w => sentence.Contains(w, StringComparison.Ordinal)),
                        $"'{prompt}' and '{sentence}' differ on '{words[value][0]}'");
                    stated += inPrompt ? 1 : 0;
                }
            }
        }
        Assert.True(stated > 0);
    }

    [Fact]
    public void Plan_TellsTheWholeSubjectInTheShareThatIsAskedFor()
    {
        double all = TeacherGrids.Plan(Options(1)).Average(p => p.Grid.Length);
        double none = TeacherGrids.Plan(Options(0)).Average(p => p.Grid.Length);
        double half = TeacherGrids.Plan(Options(0.5)).Average(p => p.Grid.Length);

        Assert.InRange(half, (0.7 * none) + (0.3 * all), (0.3 * none) + (0.7 * all));
        Assert.True(all > 1.1 * none, $"{all} and {none} characters");
    }

    [Fact]
    public void Draw_GivesTheSameOnTwoDevicesAndDrawsNothingTwice()
    {
        using TemporaryFolder folder = new();
        using SmallTeacher teacher = new();
        TeacherGridOptions options = Options(1) with { ModelFolder = teacher.Folder, Count = 300, PanelSize = 32 };
        List<string> said = [];
        List<GridPair> one = TeacherGrids.Draw(options, folder.File("one"), [CPU], said.Add, CancellationToken.None);
        Assert.Equal(["256 grids of 300 drawn", "300 grids of 300 drawn"], said);
        said.Clear();
        List<GridPair> again = TeacherGrids.Draw(options, folder.File("one"), [CPU], said.Add, CancellationToken.None);
        Assert.Empty(said);
        List<GridPair> two = TeacherGrids.Draw(options, folder.File("two"), [CPU, CPU], _ => { }, CancellationToken.None);

        Assert.Equal(300, one.Count);
        for (int i = 0; i < one.Count; i++)
        {
            Assert.Equal(one[i].Plan, two[i].Plan);
            Assert.True(one[i].A.Pixels.SequenceEqual(again[i].A.Pixels), $"grid {i} is read as another than was drawn");
            Assert.True(one[i].A.Pixels.SequenceEqual(two[i].A.Pixels), $"grid {i} differs on two devices");
        }
    }

    private static TeacherGridOptions Options(double wholeSubjectShare) => new()
    {
        ModelFolder = TinyModel.Folder,
        PanelSize = TinyModel.PanelSize,
        Count = 200,
        Steps = 1,
        Guidance = 3.5f,
        Seed = 5,
        WholeSubjectShare = wholeSubjectShare,
    };
}
