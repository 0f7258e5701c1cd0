using System.Text.Json;
using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.Classifier;

namespace Dsd.Lab.Tests.Measure;

[Collection("Torch's random numbers")]
public sealed class TeacherReportingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_WritesFiguresAndPicturesOfWhatItMeasured()
    {
        string model = _folder.File("model");
        CopyEmbedded(model);
        ClassifierTraining.Run(new ClassifierTrainingOptions
        {
            Folder = Path.Combine(model, "classifier"),
            Config = ClassifierConfig.ForWorld with { ImageSize = 32, Channels = [8, 8, 8] },
            Steps = 1,
            Batch = 2,
            WarmupSteps = 0,
            HeldOutPictures = 2,
        });
        TeacherReportOptions options = new() { ModelFolder = model, OutFolder = _folder.File("out"), Subjects = 3, Drawings = 4, Steps = 1, Batch = 2 };

        TeacherReport report = TeacherReporting.Run(options, _ => { });

        Assert.Equal((3, 4, 2), (report.JudgeOnGrids.Pairs, report.JudgeOnDrawings.Pairs, report.JudgeOnDrawings.Same));
        Assert.Equal(report.JudgeOnGrids, report.JudgeOverConfidence[0].Figures);
        Assert.All(report.Singles.Take(9), share => Assert.InRange(share.Count, 1, 3));
        Assert.Equal(9, report.Agreement.Count);
        Assert.Equal(14, report.Classifier.Count);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(_folder.File("out", "report.json")));
        Assert.Equal(report.SinglesMean, json.RootElement.GetProperty("singles_mean").GetDouble(), 12);
        Assert.Equal(report.JudgeOnDrawings.Recall, json.RootElement.GetProperty("judge_on_drawings").GetProperty("recall").GetDouble());
        Assert.Equal(
            report.JudgeOverConfidence.Select(j => j.LeastConfidence),
            json.RootElement.GetProperty("judge_on_sheets_over_confidence").EnumerateArray().Select(j => j.GetProperty("least_confidence").GetDouble()));
        string text = File.ReadAllText(_folder.File("out", "report.md"));
        Assert.Contains("| pattern color |", text);
        Assert.Contains("| least confidence | kept |", text);

        // Its grids alone are the same grids.
        Assert.Equal(report.JudgeOverConfidence, TeacherReporting.RunJudge(options with { OutFolder = _folder.File("judge") }, _ => { }));
        Assert.Contains("Of 3 grids", File.ReadAllText(_folder.File("judge", "judge.md")));
        Assert.True(File.Exists(_folder.File("judge", "judge.json")));
        Assert.Equal(2 * TinyModel.PanelSize, Picture.Load(_folder.File("out", "sheets.png")).Width % (2 * TinyModel.PanelSize + 4));
    }

    [Fact]
    public void Run_SaysHowToTrainAClassifierThatIsNotThere()
    {
        TeacherReportOptions options = new() { ModelFolder = _folder.Path, OutFolder = _folder.File("out") };
        Assert.Contains("--stage classifier", Assert.Throws<DirectoryNotFoundException>(() => TeacherReporting.Run(options, _ => { })).Message);
        Assert.False(Directory.Exists(options.OutFolder));
    }

    private static void CopyEmbedded(string to)
    {
        foreach (string file in Directory.EnumerateFiles(TinyModel.Folder, "*", SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(TinyModel.Folder, file);
            if (!relative.StartsWith("classifier", StringComparison.Ordinal))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(to, relative))!);
                File.Copy(file, Path.Combine(to, relative));
            }
        }
    }
}
