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
    private readonly IStageModels _models;
    private readonly TextToImageOptions _sampling;
    private readonly SharedModel<ITextToImageModel> _teacher;
    private readonly SharedTool<IGridPromptWriter> _writer;

    internal GridGeneratorTransformer(IHostEnvironment environment, GridGeneratorOptions options, IStageModels models)
        : base(new StageHost(environment, nameof(GridGenerator), options.CancellationToken))
    {
        options = Settled(environment, options);
        CheckTogether(options);
        Options = options;
        _models = models;
        Added = Columns(options);
        _sampling = ModelDefaults.Grid(options);
        _teacher = new SharedModel<ITextToImageModel>(nameof(GridGeneratorTransformer), _ =>
        {
            string device = ContextDefaults.TorchDevice(environment, options.Device, models, Host.Warn);
            Host.Info($"Loading the teacher '{options.Model}' on {device}.");
            return models.OpenTeacher(options with { Device = device }, Host.Warn);
        });
        _writer = new SharedTool<IGridPromptWriter>(nameof(GridGeneratorTransformer), () => ModelDefaults.PromptWriter(options));
    }

    /// <summary>The options that it was made with.</summary>
    public GridGeneratorOptions Options { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

    private protected override RowPolicy Policy => Options.Policy;

    /// <summary>The same stage with other options: another device, batch, path or what else is to change where it runs.</summary>
    /// <param name="options">All options, as a rule <c>Options with { … }</c>.</param>
    /// <returns>A stage with a model of its own; this one stays as it is.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public GridGeneratorTransformer With(GridGeneratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new GridGeneratorTransformer(Host.Environment, options, _models);
    }

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
        string[] reads = [options.CaptionColumn, .. new[] { options.SeedColumn, options.Policy.Number }.OfType<string>()];
        return
        [
            new(options.GridPromptColumn, TextDataViewType.Instance, reads),
            new(options.PanelCaptionsColumn, new VectorDataViewType(TextDataViewType.Instance, ModelDefaults.Layout(options).Panels), reads),
            new(options.GridColumn, MLImages.Type(size.Width, size.Height), reads, LayoutAnnotation.Of(ModelDefaults.Layout(options))),
        ];
    }

    /// <summary>Options with what a fitted stage keeps of the context and the model's preset.</summary>
    internal static GridGeneratorOptions Settled(IHostEnvironment environment, GridGeneratorOptions options) => options with
    {
        Seed = ContextDefaults.Seed(environment, options.Seed),
        Sampling = options.Sampling is null ? null : ModelDefaults.Grid(options),
    };

    internal static void Check(GridGeneratorOptions options, SchemaShape input)
    {
        ColumnCheck.Text(input, "caption", options.CaptionColumn);
        ColumnCheck.Seed(input, options.SeedColumn);
    }

    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    internal static void CheckTogether(GridGeneratorOptions options)
    {
        options.Policy.RequireDifferent(Columns(options));
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

    private protected override Func<string, Delegate> Open(RowWindow rows, out Func<string?> fault)
    {
        Func<string> caption = InputReaders.Text(rows.Row, Options.CaptionColumn, "a caption");
        Func<long?> key = InputReaders.Key(rows.Row, Options.SeedColumn);
        Func<long?> number = InputReaders.Key(rows.Row, Policy.Number);
        PerRow<Outcome<(GridPrompt Prompt, long Seed)>> prompts = new(rows, () =>
        {
            Outcome<(string Caption, long Seed)> read = Policy.Try(() =>
            {
                string text = caption();
                return (text, new RowSeed(Options.Seed!.Value).With(text).With(key() ?? 0).Value + (number() ?? 0));
            });
            if (read.Error is { } error)
            {
                return new Outcome<(GridPrompt, long)>(default, error);
            }
            (string subject, long seed) = read.Value;
            GridPromptRequest request = new(subject) { Layout = ModelDefaults.Layout(Options), Seed = seed };
            return Policy.Try(
                () => (Host.RunAsync(rows.Row.Position, 1, Options.GridPromptColumn, rows.Stopped, cancel => _writer.UseAsync(
                    async writer => (await writer.WriteAsync(request, cancel).ConfigureAwait(false))[0])).GetAwaiter().GetResult(), seed),
                e => e.InnerException is GridPromptException);
        });
        PerWindow<Outcome<Picture>> grids = new(rows, () => Outcome.Map([.. Enumerable.Range(0, rows.Count).Select(prompts.At)], good =>
        {
            TextToImageRequest[] requests = [.. good.Select(p => new TextToImageRequest(p.Prompt.Text, p.Seed))];
            return Host.Run(rows, Options.GridColumn, cancel =>
                _teacher.Use(cancel, teacher => teacher.Generate(requests, _sampling, Options.Progress, cancel)));
        }));
        fault = () => prompts.Current.Error;
        int panels = ModelDefaults.Layout(Options).Panels;
        return column =>
        {
            if (column == Options.GridPromptColumn)
            {
                return (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = prompts.Current.Value.Prompt?.Text.AsMemory() ?? default);
            }
            if (column == Options.PanelCaptionsColumn)
            {
                return (ValueGetter<VBuffer<ReadOnlyMemory<char>>>)((ref value) =>
                    value = InputReaders.Vector(prompts.Current.Value.Prompt?.Captions ?? [.. Enumerable.Repeat("", panels)]));
            }
            return (ValueGetter<MLImage>)((ref value) => value = MLImages.FromPicture(grids.Current));
        };
    }

    private protected override string Describe() => ModelEntry.Description(nameof(GridGenerator), Options with { Device = null, BatchSize = 1 });

    private static VersionInfo Version() => ModelEntry.Version("DSDGRIDS", LoaderSignature, 3);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static GridGeneratorTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<GridGeneratorOptions>(context, Version()), StageModels.Real);
}
