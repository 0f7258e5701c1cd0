using Dsd.MLNet.FineTuning;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Training;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.FineTuning;

public sealed class LoraFineTunerTests
{
    private readonly MLContext _ml = new(1);
    private IReadOnlyList<TrainingPair> _seen = [];
    private IReadOnlyList<TrainingPair> _heldOut = [];

    [Fact]
    public void Fit_TrainsOnEveryRow()
    {
        Fit(new LoraFineTunerOptions { KeptColumn = null }, Views.Pairs(_ml, true, false, true));
        Assert.Equal(["prompt 0", "prompt 1", "prompt 2"], _seen.Select(p => p.Prompt));
    }

    [Fact]
    public void Fit_LeavesRejectedRowsOut()
    {
        Fit(new LoraFineTunerOptions(), Views.Pairs(_ml, true, false, true));
        Assert.Equal(["prompt 0", "prompt 2"], _seen.Select(p => p.Prompt));
    }

    [Fact]
    public void Fit_GivesThePicturesAsTheyAre()
    {
        Fit(new LoraFineTunerOptions(), Views.Pairs(_ml, true));
        Assert.Equal(Views.Picture(0).Pixels, _seen[0].Reference.Pixels);
        Assert.Equal(Views.Picture(100).Pixels, _seen[0].Target.Pixels);
    }

    [Fact]
    public void Fit_LeavesTheCallersImagesUsable()
    {
        PairRow row = new() { Reference = Views.Image(1), Target = Views.Image(2), Prompt = "x", Kept = true };
        Fit(new LoraFineTunerOptions(), _ml.Data.LoadFromEnumerable([row]));
        Assert.Equal(32, row.Reference.Width);
    }

    [Fact]
    public void Fit_SaysSoWhenThereIsNothingToTrainOn()
    {
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => Fit(new LoraFineTunerOptions(), Views.Pairs(_ml, false, false)));
        Assert.Contains("gave 2 rows, in none of which column 'Kept' is true", e.Message);
    }

    [Fact]
    public void Fit_HoldsOutTheRowsThatAColumnNames()
    {
        IDataView pairs = _ml.Transforms.CopyColumns("Test", "Kept").Fit(Views.Pairs(_ml, true, false, true)).Transform(Views.Pairs(_ml, true, false, true));
        Fit(new LoraFineTunerOptions { KeptColumn = null, HeldOutColumn = "Test" }, pairs);
        Assert.Equal(["prompt 1"], _seen.Select(p => p.Prompt));
        Assert.Equal(["prompt 0", "prompt 2"], _heldOut.Select(p => p.Prompt));
    }

    [Fact]
    public void Fit_SaysSoWhenEverythingIsHeldOut()
    {
        string Message(LoraFineTunerOptions options, params bool[] kept) =>
            Assert.Throws<InvalidOperationException>(() => Fit(options, Views.Pairs(_ml, kept))).Message;
        LoraFineTunerOptions held = new() { HeldOutColumn = "Kept" };
        Assert.Contains("gave 2 rows, and in all of them column 'Kept' is true. Hold fewer rows out.", Message(held, true, true));
        // What is not kept is not held out either.
        Assert.Contains("gave 3 rows, and in all 1 that are kept column 'Kept' is true", Message(held, false, true, false));
        Assert.Contains("gave 2 rows, in none of which column 'Kept' is true", Message(held, false, false));
        Assert.Contains("gave 0 rows. If", Message(held));
    }

    [Fact]
    public void Fit_NamesTheRowOfATinyImage()
    {
        PairRow tiny = new() { Reference = Views.Image(1, side: 1), Target = Views.Image(2), Prompt = "x", Kept = true };
        IDataView pairs = _ml.Data.LoadFromEnumerable([tiny]);
        DsdRowException e = Assert.Throws<DsdRowException>(() => Fit(new LoraFineTunerOptions(), pairs));
        Assert.Equal("Row 0, column 'Reference': expected an image of at least 16 × 16 pixels, found 1 × 1.", e.Message);
    }

    [Fact]
    public void Fit_NamesTheRowWithoutAnImage()
    {
        IDataView pairs = _ml.Data.LoadFromEnumerable([new PairRow { Reference = Views.Image(1), Prompt = "x", Kept = true }]);
        DsdRowException e = Assert.Throws<DsdRowException>(() => Fit(new LoraFineTunerOptions(), pairs));
        Assert.Equal((0, "Target"), (e.Row, e.Column));
    }

    [Fact]
    public void Transform_ShowsTheAdapterInEveryRow()
    {
        LoraFineTunerTransformer fitted = Fit(new LoraFineTunerOptions(), Views.Pairs(_ml, true, true));
        Assert.Equal([fitted.Adapter.Fingerprint, fitted.Adapter.Fingerprint], Views.Column(fitted.Transform(Views.Pairs(_ml, true, true)), "Adapter"));
    }

    [Fact]
    public void Transform_NotesTheAdapterAtTheColumn()
    {
        LoraFineTunerTransformer fitted = Fit(new LoraFineTunerOptions(), Views.Pairs(_ml, true));
        DataViewSchema.Column column = fitted.GetOutputSchema(Views.References(_ml, 1).Schema)["Adapter"];
        Assert.Same(fitted.Adapter, AdapterAnnotation.Find(column));
    }

    [Fact]
    public void SaveAndLoad_KeepTheAdapter()
    {
        IDataView pairs = Views.Pairs(_ml, true);
        LoraFineTunerTransformer fitted = Fit(new LoraFineTunerOptions { AdapterColumn = "Mine" }, pairs);
        using MemoryStream stream = new();
        _ml.Model.Save(fitted, pairs.Schema, stream);
        ITransformer loaded = new MLContext().Model.Load(stream, out _);
        Assert.Equal([fitted.Adapter.Fingerprint], Views.Column(loaded.Transform(pairs), "Mine"));
    }

    private LoraFineTunerTransformer Fit(LoraFineTunerOptions options, IDataView pairs) => new LoraFineTuner(_ml, options, new PaintedModels
    {
        Training = seen =>
        {
            _seen = [.. seen.Pairs];
            _heldOut = [.. seen.HeldOut];
            return new LoraWeights([1, 2, 3]);
        },
    }).Fit(pairs);
}
