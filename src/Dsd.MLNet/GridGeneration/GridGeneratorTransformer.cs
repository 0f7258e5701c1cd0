using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.MLNet;
using Dsd.MLNet.Stages;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Stages.Saving;
using Dsd.Models.Sampling;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(GridGeneratorTransformer), null, typeof(SignatureLoadModel), "DSD grid generator", GridGeneratorTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="GridGenerator"/>: draws a grid for each caption.</summary>
public sealed class GridGeneratorTransformer : RowToRowTransformer
{
    internal const string LoaderSignature = "DsdGridGenerator";
    private readonly TextToImageOptions _sampling;
    private readonly SharedModel<ITextToImageModel> _teacher;
    private readonly SharedTool<IGridPromptWriter> _writer;

    internal GridGeneratorTransformer(IHostEnvironment environment, GridGeneratorOptions options, IStageModels models)
        : base(new StageHost(environment, nameof(GridGenerator), options.CancellationToken))
    {
        CheckTogether(options);
        Options = options;
        Added = Columns(options);
        _sampling = ModelDefaults.Grid(options);
        _teacher = new SharedModel<ITextToImageModel>(nameof(GridGeneratorTransformer), _ =>
        {
            Host.Info($"Loading the teacher '{options.Model}' on {options.Device}.");
            return models.OpenTeacher(options, Host.Warn);
        });
        _writer = new SharedTool<IGridPromptWriter>(nameof(GridGeneratorTransformer), () => ModelDefaults.PromptWriter(options));
    }

    /// <summary>The options that it was made with.</summary>
    public GridGeneratorOptions Options { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Host.Close();
        _teacher.Dispose();
        _writer.Dispose();
    }

    internal static AddedColumn[] Columns(GridGeneratorOptions options)
    {
        TextToImageOptions size = ModelDefaults.Grid(options);
        string[] reads = options.SeedColumn is null ? [options.CaptionColumn] : [options.CaptionColumn, options.SeedColumn];
        return
        [
            new(options.GridPromptColumn, TextDataViewType.Instance, reads),
            new(options.PanelCaptionsColumn, new VectorDataViewType(TextDataViewType.Instance, ModelDefaults.Layout(options).Panels), reads),
            new(options.GridColumn, MLImages.Type(size.Width, size.Height), reads, LayoutAnnotation.Of(ModelDefaults.Layout(options))),
        ];
    }

    internal static void Check(GridGeneratorOptions options, SchemaShape input)
    {
        ColumnCheck.Text(input, "caption", options.CaptionColumn);
        ColumnCheck.Seed(input, options.SeedColumn);
    }

    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    internal static void CheckTogether(GridGeneratorOptions options)
    {
        StageOptionCheck.Different(options.GridPromptColumn, options.PanelCaptionsColumn, options.GridColumn);
        StageOptionCheck.NotBesideTask(options.Task, (options.Layout, nameof(options.Layout)), (options.Templates, nameof(options.Templates)));
        TextToImageOptions size = ModelDefaults.Grid(options);
        GridLayout layout = ModelDefaults.Layout(options);
        if (size.Width % layout.Columns != 0 || size.Height % layout.Rows != 0)
        {
            throw new ArgumentException(
                $"Option Sampling asks for grids of {size.Width} × {size.Height} pixels, which cannot be cut into {layout} panels of one size.",
                nameof(options));
        }
    }

    private protected override void Check(SchemaShape input) => Check(Options, input);

    private protected override int WindowSize(Func<string, bool> isActive) => isActive(Options.GridColumn) ? Options.BatchSize : 1;

    private protected override Func<string, Delegate> Open(RowWindow rows)
    {
        Func<string> caption = InputReaders.Text(rows.Row, Options.CaptionColumn, "a caption");
        Func<long?> key = InputReaders.Key(rows.Row, Options.SeedColumn);
        PerRow<(GridPrompt Prompt, long Seed)> prompts = new(rows, () =>
        {
            long seed = new RowSeed(Options.Seed).With(caption()).With(key() ?? 0).Value;
            GridPromptRequest request = new(caption()) { Layout = ModelDefaults.Layout(Options), Seed = seed };
            GridPrompt prompt = Host.RunAsync(rows.Row.Position, 1, Options.GridPromptColumn, rows.Stopped, cancel =>
                _writer.UseAsync(async writer => (await writer.WriteAsync(request, cancel).ConfigureAwait(false))[0])).GetAwaiter().GetResult();
            return (prompt, seed);
        });
        PerWindow<Picture> grids = new(rows, () =>
        {
            TextToImageRequest[] requests = [.. Enumerable.Range(0, rows.Count).Select(prompts.At).Select(p => new TextToImageRequest(p.Prompt.Text, p.Seed))];
            return Host.Run(rows, Options.GridColumn, cancel =>
                _teacher.Use(cancel, teacher => teacher.Generate(requests, _sampling, Options.Progress, cancel)));
        });
        return column =>
        {
            if (column == Options.GridPromptColumn)
            {
                return (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = prompts.Current.Prompt.Text.AsMemory());
            }
            if (column == Options.PanelCaptionsColumn)
            {
                return (ValueGetter<VBuffer<ReadOnlyMemory<char>>>)((ref value) => value = InputReaders.Vector(prompts.Current.Prompt.Captions));
            }
            return (ValueGetter<MLImage>)((ref value) => value = MLImages.FromPicture(grids.Current));
        };
    }

    private static VersionInfo Version() => ModelEntry.Version("DSDGRIDS", LoaderSignature, 2);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static GridGeneratorTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<GridGeneratorOptions>(context, Version()), StageModels.Real);
}
