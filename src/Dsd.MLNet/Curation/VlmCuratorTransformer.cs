using Dsd.Curation.Grids;
using Dsd.MLNet;
using Dsd.MLNet.Curation;
using Dsd.MLNet.Stages;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Stages.Saving;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

[assembly: LoadableClass(typeof(VlmCuratorTransformer), null, typeof(SignatureLoadModel), "DSD curator", VlmCuratorTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="VlmCurator"/>: gives a row for each pair of panels that is kept.</summary>
public sealed class VlmCuratorTransformer : DsdTransformer
{
    internal const string LoaderSignature = "DsdVlmCurator";
    private readonly GridJudge _judge;

    internal VlmCuratorTransformer(IHostEnvironment environment, VlmCuratorOptions options)
        : base(new StageHost(environment, nameof(VlmCurator), options.CancellationToken))
    {
        CheckTogether(options);
        Options = options;
        _judge = new GridJudge(options, Host);
    }

    /// <summary>The options that it was made with.</summary>
    public VlmCuratorOptions Options { get; }

    /// <summary>False: a grid gives as many rows as pairs are kept.</summary>
    public override bool IsRowToRowMapper => false;

    /// <inheritdoc/>
    public override DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return AddedColumn.Extend(inputSchema, Columns(Options, Check(Options, ColumnCheck.ShapeOf(inputSchema))));
    }

    /// <summary>Refused: this stage does not map rows one to one.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new InvalidOperationException(
        $"{nameof(VlmCurator)} gives none to many rows for each input row. "
        + "Append it with TransformerScope.Training and use GetModelFor(TransformerScope.Scoring) of the fitted chain.");

    /// <inheritdoc/>
    public override IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        GridPlan plan = Check(Options, ColumnCheck.ShapeOf(input.Schema));
        IReadOnlyList<AddedColumn> added = Columns(Options, plan);
        return new CuratedView(input, AddedColumn.Extend(input.Schema, added), added, _judge.Reading(plan, LayoutOf(input.Schema)), Describe);
    }

    /// <summary>The same stage with other options: another judge, concurrency or what else is to change where it runs.</summary>
    /// <param name="options">All options, as a rule <c>Options with { … }</c>.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public VlmCuratorTransformer With(VlmCuratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new VlmCuratorTransformer(Host.Environment, options);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Host.Close();
        _judge.Dispose();
    }

    internal static IReadOnlyList<AddedColumn> Columns(VlmCuratorOptions options, GridPlan plan)
    {
        ImageDataViewType panel = plan.Cutting is { PanelWidth: { } width, PanelHeight: { } height } ? MLImages.Type(width, height) : MLImages.Type(0, 0);
        return options.Policy.Marked(
        [
            new(options.ReferenceColumn, panel, []),
            new(options.TargetColumn, panel, []),
            new(options.PromptColumn, TextDataViewType.Instance, []),
            new(options.KeptColumn, BooleanDataViewType.Instance, []),
            new(options.ConfidenceColumn, NumberDataViewType.Single, []),
            new(options.ReasonColumn, TextDataViewType.Instance, []),
        ]);
    }

    /// <summary>Checks the input's columns and tells how its grids are cut.</summary>
    internal static GridPlan Check(VlmCuratorOptions options, SchemaShape input)
    {
        ColumnCheck.Image(input, "grid", options.GridColumn);
        bool captioned = input.TryFindColumn(options.PanelCaptionsColumn, out _);
        if (captioned)
        {
            ColumnCheck.Texts(input, "panel captions", options.PanelCaptionsColumn);
        }
        else
        {
            ColumnCheck.Text(input, "caption", options.CaptionColumn);
        }
        input.TryFindColumn(options.GridColumn, out SchemaShape.Column grid);
        if (options.Layout is null && options.Task is null && !LayoutAnnotation.IsAt(grid))
        {
            throw new InvalidOperationException(
                $"Column '{options.GridColumn}' does not say how the panels of its grids lie, as those of {nameof(GridGenerator)} do. "
                + $"Set the option {nameof(VlmCuratorOptions.Layout)}, such as {nameof(GridLayout)}.{nameof(GridLayout.TwoByTwo)}.");
        }
        if (grid.ItemType is ImageDataViewType { Width: > 0, Height: > 0 } size && Layout(options, grid) is { } layout)
        {
            PanelCutter.RequireSize(size.Width, size.Height, layout);
        }
        return new GridPlan(captioned, Cutting(options, grid));
    }

    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    internal static void CheckTogether(VlmCuratorOptions options)
    {
        StageOptionCheck.Different(Columns(options, new GridPlan(false, options.Cutting)).Select(c => c.Name));
        StageOptionCheck.NotBesideTask(
            options.Task,
            (options.Layout, nameof(options.Layout)),
            (options.Pairs, nameof(options.Pairs)));
        StageJudge.CheckTogether(options);
    }

    private GridLayout LayoutOf(DataViewSchema input) => Options.Layout ?? LayoutAnnotation.Find(input[Options.GridColumn]) ?? Options.Task!.Layout;

    /// <summary>
    /// How the panels lie, as far as the shape of the input tells. What is noted at the column goes before the task: it is about these very grids.
    /// </summary>
    private static GridLayout? Layout(VlmCuratorOptions options, SchemaShape.Column grid) =>
        options.Layout ?? (LayoutAnnotation.IsAt(grid) ? LayoutAnnotation.Known(grid) : options.Task?.Layout);

    /// <summary>
    /// How grids are cut. Where the column says how large they are and it is known how their panels lie, panels get their share of that, whatever
    /// border is trimmed.
    /// </summary>
    private static PanelCutterOptions Cutting(VlmCuratorOptions options, SchemaShape.Column grid)
    {
        if (options.Cutting is not { PanelWidth: null, PanelHeight: null } || grid.ItemType is not ImageDataViewType { Width: > 0, Height: > 0 } size
            || Layout(options, grid) is not { } layout)
        {
            return options.Cutting;
        }
        return options.Cutting with { PanelWidth = Math.Max(1, size.Width / layout.Columns), PanelHeight = Math.Max(1, size.Height / layout.Rows) };
    }

    // A judge that has no name is not in it: docs/stages/row-store.md says so.
    private string Describe() =>
        ModelEntry.Description(nameof(VlmCurator), Options with { Judging = Options.Judging with { Concurrency = 1 } });

    private static VersionInfo Version() => ModelEntry.Version("DSDCURAT", LoaderSignature, 2);

    private protected override void Save(ModelSaveContext context)
    {
        StageJudge.RequireSavable(Options, nameof(VlmCurator));
        ModelEntry.Save(context, Version(), Options);
    }

    private static VlmCuratorTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<VlmCuratorOptions>(context, Version()));
}
