using Dsd.MLNet.Tests.Fakes;
using Dsd.Testing;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Data;

public sealed class SubjectsLoaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _ml = new(1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LoadSubjects_GivesEachTwoPicturesOfASubject_EitherWay()
    {
        Write("fox", "a.png", "b.jpg", "c.PNG");
        Write("cat", "x.png", "y.png");
        Write("lonely", "only.png");
        File.WriteAllText(_folder.File("fox", "b.txt"), " a fox on the moon \n");
        File.WriteAllText(_folder.File("notes.md"), "not a subject");
        IDataView view = _ml.Data.LoadSubjects(_folder.Path);
        Assert.Equal(8, view.GetRowCount());
        string[] pairs = [.. Views.Column(view, "ReferencePath").Zip(Views.Column(view, "TargetPath"), (r, t) => $"{r} {t}")];
        Assert.Equal(
            [
                "cat/x.png cat/y.png", "cat/y.png cat/x.png",
                "fox/a.png fox/b.jpg", "fox/a.png fox/c.PNG", "fox/b.jpg fox/a.png", "fox/b.jpg fox/c.PNG", "fox/c.PNG fox/a.png", "fox/c.PNG fox/b.jpg",
            ],
            pairs);
        Assert.Equal(["cat", "cat", "a fox on the moon", "fox", "fox", "fox", "fox", "a fox on the moon"], Views.Column(view, "Prompt"));
        Assert.Equal("fox", Views.Column(view, "Subject")[2]);
        Assert.Equal(Views.Column(view, "Reference")[0], Views.Column(view, "Target")[1]);
    }

    [Fact]
    public void LoadSubjects_Unordered_GivesEachTwoOnce()
    {
        Write("fox", "a.png", "b.png", "c.png");
        IDataView view = _ml.Data.LoadSubjects(_folder.Path, new SubjectsLoaderOptions { Ordered = false });
        string[] pairs = [.. Views.Column(view, "ReferencePath").Zip(Views.Column(view, "TargetPath"), (r, t) => $"{r[4..]} {t[4..]}")];
        Assert.Equal(["a.png b.png", "a.png c.png", "b.png c.png"], pairs);
    }

    [Fact]
    public void LoadSubjects_OfTooManyPairs_TakesSomeOfAllAndSaysSo()
    {
        Write("fox", [.. Enumerable.Range(0, 10).Select(i => $"{i}.png")]);
        LogLines log = new(_ml);
        IDataView view = _ml.Data.LoadSubjects(_folder.Path, new SubjectsLoaderOptions { MaxPairsPerSubject = 10 });
        Assert.Equal(10, Views.Column(view, "ReferencePath").Distinct().Count());
        Assert.Contains("90 pairs, of which 10 are taken", Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void LoadSubjects_WithoutAPair_SaysWhatItLooksFor()
    {
        Write("lonely", "only.png");
        Assert.Contains("two pictures", Assert.Throws<IOException>(() => _ml.Data.LoadSubjects(_folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains("'nowhere'", Assert.Throws<DirectoryNotFoundException>(() => _ml.Data.LoadSubjects("nowhere")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatIsNoPicture_IsNamedWithItsRow()
    {
        Write("fox", "a.png");
        File.WriteAllText(_folder.File("fox", "b.png"), "text");
        IDataView view = _ml.Data.LoadSubjects(_folder.Path);
        DsdRowException e = Assert.Throws<DsdRowException>(() => Views.Column(view, "Target"));
        Assert.Equal((0, "Target"), (e.Row, e.Column));
        Assert.Contains("b.png", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThePairs_AreJudgedAndTrainedOn()
    {
        Write("fox", "a.png", "b.png");
        IDataView pairs = _ml.Data.LoadSubjects(_folder.Path);
        int trained = 0;
        PaintedModels models = new()
        {
            Training = rows =>
            {
                trained = rows.Count;
                return new LoraWeights([1]);
            },
        };
        PairCuratorOptions options = new() { ChatClient = new AnsweringClient(number => number == 0), Judging = new() { Concurrency = 1 } };
        _ = new PairCurator(_ml, options).Append(new LoraFineTuner(_ml, null, models)).Fit(pairs);
        Assert.Equal(1, trained);
    }

    private void Write(string subject, params string[] files)
    {
        Directory.CreateDirectory(_folder.File(subject));
        foreach ((int i, string file) in files.Index())
        {
            // A JPEG's name over PNG's bytes is read by its bytes.
            File.WriteAllBytes(_folder.File(subject, file), Views.Picture(i + subject.Length).EncodePng());
        }
    }
}
