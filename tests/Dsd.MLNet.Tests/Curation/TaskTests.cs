using Dsd.Curation.Chat;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Curation.Tasks;
using Dsd.Imaging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Sampling;
using Dsd.Runs;
using Dsd.Testing;
using Dsd.Tiny.World;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.Curation;

/// <summary>
/// A curation task in a pipeline does what <c>dsd curate --task</c> does with it, which is: <see cref="RunOptions"/> and <see cref="ChatRoles"/>.
/// </summary>
public sealed class TaskTests : IDisposable
{
    private const string File =
        """
        {
          "name": "toys", "about": "Toys on shelves.", "layout": "1x4", "pairs": "first_to_rest", "rejected_flags": ["blurred"],
          "writer": ["Invent toys.", "Answer in the form."], "judge": ["Are both the same toy?", "Look at the paint."],
          "templates": {
            "sheets": ["{count} photos of {subject}: {panels}"], "panel": "{position} {caption}", "caption": "{subject} {context}",
            "contexts": ["on a shelf", "in a box", "under a lamp", "by the window", "on the floor"]
          }
        }
        """;

    private const string Scenes = """{"sheets":[{"subject":"a tin robot","scenes":["on a shelf","in a box","under a lamp","by the window"]}]}""";
    private readonly MLContext _ml = new(1);
    private readonly TemporaryFolder _folder = new();
    private readonly CurationTask _task;
    private readonly GridGeneratorOptions _grids;

    public TaskTests()
    {
        System.IO.File.WriteAllText(_folder.File("toys.json"), File);
        _task = CurationTask.Load(_folder.File("toys.json"));
        TextToImageOptions sampling = new() { Width = 128, Height = 32, Steps = 1 };
        _grids = new GridGeneratorOptions { Model = "painted", Task = _task, Seed = 0, Sampling = sampling };
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Grids_AreAskedForAsCurateAsks()
    {
        RunOptions run = new() { Task = _task };
        using ChatRoles roles = ChatRoles.Open(ChatSettings.Only("judge"), _task, known: _ => new AnsweringClient(_ => true));
        GridPrompt expected = (await roles.Writer.WriteAsync(new GridPromptRequest("a robot") { Layout = run.GridLayout, Seed = SeedOf("a robot") }))[0];

        IDataView drawn = Draw(_grids, "a robot");

        Assert.Equal([expected.Text], Views.Column(drawn, "GridPrompt"));
        Assert.Equal([string.Join('|', expected.Captions)], Views.Column(drawn, "PanelCaptions"));
        Assert.Equal(run.GridLayout, LayoutAnnotation.Find(drawn.Schema["Grid"]));
    }

    [Fact]
    public async Task ALanguageModel_IsAskedAsCurateAsksIt()
    {
        RecordingClient curate = new(_ => Scenes);
        ChatSettings settings = new() { Judge = new JudgePanel { Ask = ["judge"] }, Writer = "writer" };
        using ChatRoles roles = ChatRoles.Open(settings, _task, known: _ => curate);
        GridPrompt expected = (await roles.Writer.WriteAsync(new GridPromptRequest("a robot") { Layout = _task.Layout, Seed = SeedOf("a robot") }))[0];

        RecordingClient asked = new(_ => Scenes);
        ChatClients.Register("task-writer", () => asked);
        IDataView drawn = Draw(_grids with { PromptClient = "task-writer" }, "a robot");

        Assert.Equal([expected.Text], Views.Column(drawn, "GridPrompt"));
        Assert.Equal(curate.Questions, asked.Questions);
        Assert.Contains("Invent toys.\nAnswer in the form.", Assert.Single(asked.Questions));
    }

    [Fact]
    public async Task Pairs_AreJudgedAsCurateJudgesThem()
    {
        IDataView grids = Grids();
        RecordingClient curate = new(Verdict);
        using ChatRoles roles = ChatRoles.Open(ChatSettings.Only("judge"), _task, known: _ => curate);
        IReadOnlyList<Picture> panels = PanelCutter.Cut(PaintingTeacher.Paint("grid", 0, 128, 32), _task.Layout);
        List<PairJudgement> expected = [];
        foreach ((int first, int second) in PanelCutter.Pairs(panels.Count, _task.Pairs))
        {
            expected.Add(await roles.Judge.JudgeAsync(panels[first], panels[second]));
        }

        RecordingClient asked = new(Verdict);
        VlmCuratorOptions options = new() { ChatClient = asked, Task = _task, IncludeRejected = true, Judging = new PairJudgeOptions { Concurrency = 1 } };
        IDataView judged = new VlmCurator(_ml, options).Fit(grids).Transform(grids);

        Assert.Equal(expected.Select(j => j.Reason), Views.Column(judged, "Reason"));
        Assert.Equal([true, false, true], expected.Select(j => j.Kept));
        Assert.Contains("flagged 'blurred'", expected[1].Reason);
        Assert.Equal(curate.Questions, asked.Questions);
        Assert.All(asked.Questions, q => Assert.Contains("Are both the same toy?\nLook at the paint.", q));
    }

    [Fact]
    public void WhatIsNotedAtTheColumn_GoesBeforeTheTask()
    {
        IDataView drawn = Draw(_grids with { Task = null, Layout = GridLayout.OneByTwo }, "a robot");
        VlmCuratorOptions options = new() { ChatClient = new AnsweringClient(_ => true), Task = _task };
        Assert.Single(Views.Column(new VlmCurator(_ml, options).Fit(drawn).Transform(drawn), "Kept"));
    }

    [Fact]
    public void TheEmbeddedModel_KeepsItsOwnWordsAndLayout()
    {
        IDataView drawn = Draw(new GridGeneratorOptions { Task = _task }, "a robot");
        Assert.Equal(GridLayout.OneByTwo, LayoutAnnotation.Find(drawn.Schema["Grid"]));
        string caption = Views.Column(drawn, "PanelCaptions")[0].Split('|')[0];
        Assert.Contains(WorldGridTemplates.Templates.Contexts, context => caption.EndsWith(context, StringComparison.Ordinal));
    }

    [Fact]
    public void ATask_IsSavedWithTheModel()
    {
        IDataView captions = Views.Captions(_ml, "a robot");
        GridGeneratorTransformer generator = new GridGenerator(_ml, _grids, new PaintedModels()).Fit(captions);
        GridGeneratorTransformer loaded = (GridGeneratorTransformer)SavedAndLoaded(generator, captions);
        Assert.Equal(Views.Column(generator.Transform(captions), "GridPrompt"), Views.Column(loaded.Transform(captions), "GridPrompt"));
        AssertSame(_task, loaded.Options.Task!);

        IDataView grids = Grids();
        VlmCuratorTransformer curator = new VlmCurator(_ml, new VlmCuratorOptions { Task = _task }).Fit(grids);
        AssertSame(_task, ((VlmCuratorTransformer)SavedAndLoaded(curator, grids)).Options.Task!);
    }

    [Fact]
    public void WhatTheTaskSets_IsRefusedBesideIt()
    {
        void Refused(string option, Action make)
        {
            string said = Assert.Throws<ArgumentException>(make).Message;
            Assert.Contains("Task ('toys')", said);
            Assert.Contains($"option {option}", said);
        }
        Refused("Layout", () => new GridGenerator(_ml, _grids with { Layout = GridLayout.OneByTwo }));
        Refused("Templates", () => new GridGenerator(_ml, _grids with { Templates = GridTemplates.Default }));
        VlmCuratorOptions curator = new() { Task = _task };
        Refused("Layout", () => new VlmCurator(_ml, curator with { Layout = GridLayout.OneByTwo }));
        Refused("Pairs", () => new VlmCurator(_ml, curator with { Pairs = PairChoice.Ordered }));
        Refused("Judging.RejectedFlags", () => new VlmCurator(_ml, curator with { Judging = new PairJudgeOptions { RejectedFlags = ["text"] } }));
        Refused("Judging.Instructions", () => new VlmCurator(_ml, curator with { Judging = new PairJudgeOptions { Instructions = "Judge." } }));
        Refused("Judging.InstructionsFile", () => new VlmCurator(_ml, curator with { Judging = new PairJudgeOptions { InstructionsFile = "judge.txt" } }));
    }

    // As the generator seeds a row without a seed column.
    private static long SeedOf(string caption) => new RowSeed(0).With(caption).With(0).Value;

    // The second answer is flagged.
    private static string Verdict(int number) => new Verdict
    {
        Subject = "a robot",
        DescriptionA = "a robot",
        DescriptionB = "a robot",
        Differences = [],
        Same = true,
        Confidence = 0.9,
        Flags = number == 1 ? ["blurred"] : ["text"],
    }.ToJson();

    private static void AssertSame(CurationTask expected, CurationTask found)
    {
        Assert.Equal(
            (expected.Name, expected.About, expected.Layout, expected.Pairs, expected.Writer, expected.Judge),
            (found.Name, found.About, found.Layout, found.Pairs, found.Writer, found.Judge));
        Assert.Equal(expected.RejectedFlags, found.RejectedFlags);
        Assert.Equal(expected.Templates.Contexts, found.Templates.Contexts);
        string[] contexts = ["a", "b", "c", "d"];
        Assert.Equal(expected.Templates.Compose("x", contexts, expected.Layout).Text, found.Templates.Compose("x", contexts, expected.Layout).Text);
    }

    private ITransformer SavedAndLoaded(ITransformer fitted, IDataView input)
    {
        using MemoryStream stream = new();
        _ml.Model.Save(fitted, input.Schema, stream);
        return new MLContext().Model.Load(stream, out _);
    }

    private IDataView Draw(GridGeneratorOptions options, string caption)
    {
        IDataView captions = Views.Captions(_ml, caption);
        return new GridGenerator(_ml, options, new PaintedModels()).Fit(captions).Transform(captions);
    }

    private IDataView Grids()
    {
        MLImage grid = MLImages.FromPicture(PaintingTeacher.Paint("grid", 0, 128, 32));
        return _ml.Data.LoadFromEnumerable([new WideRow { Caption = "a robot", Grid = grid }]);
    }

    private sealed class WideRow
    {
        public string Caption { get; set; } = "";

        [Microsoft.ML.Transforms.Image.ImageType(32, 128)]
        public MLImage? Grid { get; set; }
    }
}
