using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.MLNet;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Quickstart;

/// <summary>The stages of Diffusion Self-Distillation, an estimator each.</summary>
/// <remarks>
/// The four estimators also work as one chain; README.md shows it. Pictures are drawn when they are read, and again when they are read again,
/// so each stage here puts its rows into a list: the report and the next stage then look at the same pictures.
/// </remarks>
internal sealed class Stages(Settings settings, CancellationToken cancellationToken)
{
    private readonly MLContext _ml = new(settings.Seed);

    /// <summary>The teacher draws one subject twice on each grid.</summary>
    public List<GridRow> DrawGrids(Stage stage)
    {
        CaptionRow[] captions = [.. Subjects.Captions.Take(settings.Grids).Select(caption => new CaptionRow { Caption = caption })];
        GridGeneratorOptions options = new()
        {
            Layout = GridLayout.OneByTwo,
            Sampling = new TextToImageOptions { Width = 2 * TinyModel.PanelSize, Height = TinyModel.PanelSize, Steps = settings.GridSteps },
            BatchSize = 4,
            Seed = settings.Seed,
            CancellationToken = cancellationToken,
        };
        IDataView input = _ml.Data.LoadFromEnumerable(captions);
        using GridGeneratorTransformer generator = new GridGenerator(_ml, options).Fit(input);
        return Rows<GridRow>(generator.Transform(input), stage, captions.Length);
    }

    /// <summary>The judge compares the panels of each grid. Rejected pairs stay for the report; training leaves them out.</summary>
    public List<PairRow> JudgePairs(IReadOnlyList<GridRow> grids, Stage stage)
    {
        VlmCuratorOptions options = new()
        {
            Layout = GridLayout.OneByTwo,
            IncludeRejected = true,
            Pairs = PairChoice.Unordered,
            // Whatever the embedded judge calls the same: there are few grids.
            Judging = new PairJudgeOptions { Threshold = 0.5 },
            CancellationToken = cancellationToken,
        };
        IDataView input = _ml.Data.LoadFromEnumerable(grids);
        using VlmCuratorTransformer curator = new VlmCurator(_ml, options).Fit(input);
        return Rows<PairRow>(curator.Transform(input), stage, grids.Count);
    }

    /// <summary>The embedded adapter is trained for a few more steps on the pairs that were kept.</summary>
    public LoraFineTunerTransformer FineTune(IReadOnlyList<PairRow> pairs, Stage stage, Action<TrainingProgress> report)
    {
        LoraFineTunerOptions options = new()
        {
            Training = new LoraTrainingOptions
            {
                Width = TinyModel.PanelSize,
                Height = TinyModel.PanelSize,
                InitialAdapterFile = TinyModel.AdapterFile,
                Steps = settings.TrainingSteps,
                BatchSize = 4,
                LearningRate = 1e-4,
                Guidance = 3.5f,
                Seed = settings.Seed,
                ReportEvery = 1,
            },
            Progress = new ImmediateProgress<TrainingProgress>(step =>
            {
                report(step);
                stage.Done((int)step.Step, (int)step.Steps);
            }),
            CancellationToken = cancellationToken,
        };
        LoraFineTunerTransformer tuned = new LoraFineTuner(_ml, options).Fit(_ml.Data.LoadFromEnumerable(pairs));
        tuned.Adapter.Save(Path.Combine(settings.Out, "adapter.safetensors"));
        return tuned;
    }

    /// <summary>Merges the adapter into the model and writes it as ONNX.</summary>
    public DsdGeneratorTransformer Export(LoraFineTunerTransformer tuned, IReadOnlyList<ReferenceRow> references)
    {
        DsdGeneratorOptions options = new()
        {
            Backend = new OnnxGeneration { Folder = Path.Combine(settings.Out, "onnx") },
            Sampling = TinyModel.Sampling with { Steps = settings.PictureSteps },
            Seed = settings.Seed,
            SeedColumn = nameof(ReferenceRow.Seed),
            CancellationToken = cancellationToken,
        };
        // The generator reads no row here: it looks whether the columns are there.
        return new DsdGenerator(_ml, options, tuned.Adapter).Fit(_ml.Data.LoadFromEnumerable(references));
    }

    /// <summary>Each reference, a subject that nothing was trained on, with each new context.</summary>
    public ReferenceRow[] References() =>
    [
        .. from reference in Subjects.HeldOut(settings.Seed).Take(settings.References).Index()
           let image = MLImage.CreateFromStream(new MemoryStream(reference.Item))
           from prompt in Subjects.Prompts.Index()
           select new ReferenceRow { Subject = reference.Index, Reference = image, Prompt = prompt.Item, Seed = 1 + prompt.Index },
    ];

    /// <summary>Draws the references as their prompts say.</summary>
    public List<PictureRow> Generate(DsdGeneratorTransformer generator, IReadOnlyList<ReferenceRow> references, Stage stage) =>
        Rows<PictureRow>(generator.Transform(_ml.Data.LoadFromEnumerable(references)), stage, references.Count);

    private List<T> Rows<T>(IDataView view, Stage stage, int expected)
        where T : class, new()
    {
        List<T> rows = [];
        foreach (T row in _ml.Data.CreateEnumerable<T>(view, reuseRowObject: false))
        {
            rows.Add(row);
            stage.Done(rows.Count, expected);
        }
        return rows;
    }
}
