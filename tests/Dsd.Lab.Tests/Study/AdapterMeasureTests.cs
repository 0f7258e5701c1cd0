using System.Text.Json;
using Dsd.Imaging;
using Dsd.Lab.Study;
using Dsd.Lab.Tests.Study.Baselines;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Dsd.Tiny;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Study;

/// <summary>CP and PF of adapters, with a teacher of random weights and a classifier that has learned next to nothing.</summary>
[Collection("Torch's random numbers")]
public sealed class AdapterMeasureTests : IClassFixture<SmallTeacher>, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SmallTeacher _teacher;
    private readonly AdapterMeasureOptions _options;

    public AdapterMeasureTests(SmallTeacher teacher)
    {
        _teacher = teacher;
        teacher.AddMeasures();
        File.WriteAllText(_folder.File("config.json"), SmallTeacher.StudyConfig);
        _options = new AdapterMeasureOptions
        {
            OutFolder = _folder.File("measured"),
            ModelFolder = teacher.Folder,
            ConfigFile = _folder.File("config.json"),
        };
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_OfTheStudysOwnStudent_CountsWhatTheStudyCounts()
    {
        Assert.True(TinyStudy.Run(
            new StudyOptions { OutFolder = _folder.File("study"), ModelFolder = _teacher.Folder, ConfigFile = _options.ConfigFile, Only = ["dsd"] }, _ => { }));
        SystemResult expected = SystemResult.Load(_folder.File("study", "systems", "dsd", "result.json"));

        AdapterReport report = AdapterMeasure.Run(
            _options with { AdapterFiles = [_folder.File("study", "systems", "dsd", "weights.safetensors")] }, _ => { });

        AdapterResult result = Assert.Single(report.Adapters);
        Assert.Equal(expected.CpBySubject, result.CpBySubject);
        Assert.Equal(expected.PfBySubject, result.PfBySubject);
        Assert.Equal((expected.Cp, expected.Pf), (result.Cp, result.Pf));
        Assert.Equal(expected.Attributes, result.Attributes);
        Assert.Null(result.CpFromFirst);
    }

    [Fact]
    public void Run_OfSeveral_ComparesThemWithTheFirstAndShowsEach()
    {
        string[] files = [Adapter("one", 0), Adapter("other", 0.5), Adapter("one again", 0)];
        List<string> said = [];

        AdapterReport report = AdapterMeasure.Run(_options with { AdapterFiles = files, Subjects = 1 }, said.Add);

        Assert.Equal(files, report.Adapters.Select(a => a.Adapter));
        Assert.Equal((1, 2), (report.Subjects, report.Prompts));
        Assert.Equal((0.0, 0.0), (report.Adapters[2].CpFromFirst!.Mean, report.Adapters[2].PfFromFirst!.Mean));
        Assert.Equal(report.Adapters[1].Cp.Mean - report.Adapters[0].Cp.Mean, report.Adapters[1].CpFromFirst!.Mean, 12);
        byte[][] sheets = [.. report.Adapters.Select(a => Picture.Load(_folder.File("measured", a.Sheet)).Pixels.ToArray())];
        Assert.NotEqual(sheets[0], sheets[1]);
        Assert.Equal(sheets[0], sheets[2]);
        Assert.Equal(3 * (3 * TinyModel.PanelSize + 2 * 4) * TinyModel.PanelSize, sheets[0].Length);
        Assert.Equal(3, said.Count(line => files.Any(f => line.StartsWith($"{f}: CP ", StringComparison.Ordinal))));

        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(_folder.File("measured", "measure.json")));
        JsonElement[] rows = [.. json.RootElement.GetProperty("adapters").EnumerateArray()];
        Assert.Equal(report.Adapters.Select(a => a.Cp.Mean), rows.Select(r => r.GetProperty("cp").GetProperty("mean").GetDouble()));
        string text = File.ReadAllText(_folder.File("measured", "measure.md"));
        Assert.All(files.Index(), f => Assert.Contains($"| {f.Index + 1}. `{f.Item}` | {StudyTables.Text(report.Adapters[f.Index].Cp)} |", text));
        Assert.Contains("| 0.000 (0.000 – 0.000) | 0.000 (0.000 – 0.000) |", text);
    }

    [Fact]
    public void Run_WithoutAnAdapter_LooksForTheModelsOwnStudent() =>
        Assert.Contains(Path.Combine(_teacher.Folder, "dsd"), Assert.ThrowsAny<IOException>(() => AdapterMeasure.Run(_options, _ => { })).Message);

    [Fact]
    public void Run_OfAnAdapterThatDoesNotFit_NamesItBeforeAnythingIsDrawn()
    {
        List<string> said = [];
        WeightsException e = Assert.ThrowsAny<WeightsException>(
            () => AdapterMeasure.Run(_options with { AdapterFiles = [Adapter("one", 0), TinyModel.AdapterFile] }, said.Add));
        Assert.Contains(TinyModel.AdapterFile, e.Message);
        Assert.Empty(said);
        Assert.False(Directory.Exists(_options.OutFolder));
    }

    [Fact]
    public void Run_OfAnExportedStudent_CountsWhatItsAdapterDoes_AndSaysWhereItRan()
    {
        string adapter = Adapter("one", 0.5);
        OnnxExporter.Export(_teacher.Folder, new LoraUse(adapter), _folder.File("exported"));
        List<string> said = [];

        AdapterReport report = AdapterMeasure.Run(_options with { AdapterFiles = [adapter, _folder.File("exported")], Subjects = 1 }, said.Add);

        Assert.Equal(report.Adapters[0].Cp.Mean, report.Adapters[1].Cp.Mean, 12);
        Assert.Equal(report.Adapters[0].Pf.Mean, report.Adapters[1].Pf.Mean, 12);
        string placement = Assert.Single(said, line => line.Contains("transformer", StringComparison.Ordinal));
        Assert.StartsWith($"{_folder.File("exported")}: the CPU (", placement, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhereOnnxRuntimeCannotDraw_SaysSoBeforeAnythingIsDrawn()
    {
        OnnxExporter.Export(_teacher.Folder, new LoraUse(Adapter("one", 0)), _folder.File("exported"));
        List<string> said = [];

        NotSupportedException e = Assert.Throws<NotSupportedException>(() => AdapterMeasure.Run(
            _options with { AdapterFiles = [Adapter("one", 0), _folder.File("exported")], Onnx = new OnnxRuntimeOptions().On("tensorrt") }, said.Add));

        Assert.Contains("TensorRT", e.Message, StringComparison.Ordinal);
        Assert.Empty(said);
        Assert.False(Directory.Exists(_options.OutFolder));
    }

    [Fact]
    public void Subjects_OutOfRange_AreRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => _options with { Subjects = 0 });

    /// <summary>An adapter for the teacher whose second factors hold one number throughout: with 0 it changes nothing.</summary>
    private string Adapter(string name, double up)
    {
        string file = _folder.File($"{name}.safetensors");
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using FluxModel model = (FluxModel)DiffusionModel.LoadConditional(_teacher.Folder);
        using LoraAdapter adapter = LoraAdapter.Create(model.Transformer, new LoraOptions { Rank = 2 });
        foreach (LoraFactors factors in adapter.Factors.Values)
        {
            factors.B.fill_(up);
        }
        adapter.Save(file);
        return file;
    }
}
