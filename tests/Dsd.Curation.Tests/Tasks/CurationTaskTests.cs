using Dsd.Curation.Grids;
using Dsd.Curation.Tasks;

namespace Dsd.Curation.Tests.Tasks;

public sealed class CurationTaskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dsd-task-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Known_AreTheFilesOfTheLibrary() =>
        Assert.Equal(["character", "comic", "item", "material", "relighting", "weather"], CurationTask.Known);

    [Theory]
    [MemberData(nameof(KnownTasks))]
    public void EveryKnownTask_WritesPromptsForItsLayoutWithoutAModel(string name)
    {
        CurationTask task = CurationTask.Load(name);
        GridPrompt prompt = Assert.Single(
            new TemplateGridPromptWriter(task.Templates).Write(new GridPromptRequest("a small clay fox") { Layout = task.Layout }));

        Assert.Equal(name, task.Name);
        Assert.Equal(task.Layout.Panels, prompt.Captions.Distinct().Count());
        Assert.Contains("a small clay fox", prompt.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("{", task.Judge?.Replace("{\"", "", StringComparison.Ordinal) ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Relighting_AsksTheJudgeForTheSameScene()
    {
        CurationTask task = CurationTask.Load("relighting");
        Assert.Contains("the very same pose", task.Judge!, StringComparison.Ordinal);
        Assert.Contains("Do not put light into this phrase", task.Writer!, StringComparison.Ordinal);
        Assert.Contains("near_copy", task.RejectedFlags);
    }

    [Fact]
    public void Load_ReadsATaskFromAFile_AndNamesWhatIsWrongInOne()
    {
        string file = Path.Combine(_folder, "mine.json");
        File.WriteAllText(file, """{"name": "mine", "about": "Mine.", "layout": "3x3", "pairs": "first_to_rest", "judge": ["One", "two."]}""");
        CurationTask task = CurationTask.Load(file);
        Assert.Equal((PairChoice.FirstToRest, "One\ntwo.", GridLayout.ThreeByThree), (task.Pairs, task.Judge, task.Layout));

        string Broken(string json)
        {
            File.WriteAllText(file, json);
            return Assert.Throws<InvalidDataException>(() => CurationTask.Load(file)).Message;
        }
        Assert.Contains("layout '9x9'", Broken("""{"name": "mine", "about": "Mine.", "layout": "9x9"}"""), StringComparison.Ordinal);
        Assert.Contains("Name", Broken("""{"name": "Mine!", "about": "Mine.", "layout": "1x2"}"""), StringComparison.Ordinal);
        Assert.Contains("colour", Broken("""{"name": "mine", "about": "Mine.", "layout": "1x2", "colour": 1}"""), StringComparison.Ordinal);
        Assert.Contains("character, comic", Assert.Throws<ArgumentException>(() => CurationTask.Load("nothing")).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> KnownTasks() => [.. CurationTask.Known];
}
