using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.MLNet;
using Dsd.MLNet.Columns;
using Dsd.MLNet.Execution;
using Dsd.MLNet.Persistence;
using Dsd.MLNet.Rows;
using Microsoft.Extensions.AI;
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
    private readonly Lazy<IChatClient> _client;

    internal VlmCuratorTransformer(IHostEnvironment environment, VlmCuratorOptions options)
        : base(new Work(environment, nameof(VlmCurator), options.CancellationToken))
    {
        CheckTogether(options);
        Options = options;
        _client = new Lazy<IChatClient>(() => options.ChatClient ?? ChatClients.Create(options.Judge));
    }

    /// <summary>The options that it was made with.</summary>
    public VlmCuratorOptions Options { get; }

    /// <summary>False: a sheet gives as many rows as pairs are kept.</summary>
    public override bool IsRowToRowMapper => false;

    /// <inheritdoc/>
    public override DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Check(Options, ColumnCheck.ShapeOf(inputSchema));
        return AddedColumn.Extend(inputSchema, Added(inputSchema));
    }

    /// <summary>Refused: this stage does not map rows one to one.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new InvalidOperationException(
        $"{nameof(VlmCurator)} gives none to many rows for each input row. Append it with TransformerScope.Training and use GetModelFor(TransformerScope.Scoring) of the fitted chain.");

    /// <inheritdoc/>
    public override IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new CuratedView(input, GetOutputSchema(input.Schema), Added(input.Schema), OpenSheets);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (Options.ChatClient is null && _client.IsValueCreated)
        {
            _client.Value.Dispose();
        }
    }

    internal static AddedColumn[] Columns(VlmCuratorOptions options, ImageDataViewType panel) =>
    [
        new(options.ReferenceColumn, panel, []),
        new(options.TargetColumn, panel, []),
        new(options.PromptColumn, TextDataViewType.Instance, []),
        new(options.KeptColumn, BooleanDataViewType.Instance, []),
        new(options.ConfidenceColumn, NumberDataViewType.Single, []),
        new(options.ReasonColumn, TextDataViewType.Instance, []),
    ];

    internal static void Check(VlmCuratorOptions options, SchemaShape input)
    {
        ColumnCheck.Image(input, "sheet", options.GridColumn);
        if (input.TryFindColumn(options.PanelCaptionsColumn, out _))
        {
            ColumnCheck.Texts(input, "panel captions", options.PanelCaptionsColumn);
        }
        else
        {
            ColumnCheck.Text(input, "caption", options.CaptionColumn);
        }
        input.TryFindColumn(options.GridColumn, out SchemaShape.Column grid);
        if (options.Layout is null && !grid.Annotations.TryFindColumn(LayoutAnnotation.Name, out _))
        {
            throw new InvalidOperationException(
                $"Column '{options.GridColumn}' does not say how the panels of its sheets lie, as those of {nameof(GridGenerator)} do. Set the option {nameof(VlmCuratorOptions.Layout)}, such as {nameof(GridLayout)}.{nameof(GridLayout.TwoByTwo)}.");
        }
    }

    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    internal static void CheckTogether(VlmCuratorOptions options)
    {
        OptionCheck.Different(Columns(options, MLImages.Type(0, 0)).Select(c => c.Name));
        if ((options.ChatClient is not null || options.PairJudge is not null) && options.Judge != ChatClients.Embedded)
        {
            throw new ArgumentException($"Options {(options.ChatClient is not null ? nameof(options.ChatClient) : nameof(options.PairJudge))} and Judge ('{options.Judge}') both name a judge: give one of them.", nameof(options));
        }
        if (options.ChatClient is not null && options.PairJudge is not null)
        {
            throw new ArgumentException("Options ChatClient and PairJudge both name a judge: give one of them.", nameof(options));
        }
    }

    /// <summary>Opens the sheets of one cursor: the columns that are read, and what becomes of the sheet that the row holds.</summary>
    private (IReadOnlyList<string> Reads, Func<DataViewRow, Func<IReadOnlyList<CuratedPair>>> Open) OpenSheets(DataViewSchema input)
    {
        bool captioned = input.GetColumnOrNull(Options.PanelCaptionsColumn) is not null;
        GridLayout layout = LayoutOf(input);
        PanelCutterOptions cutting = Cutting(input);
        return ([Options.GridColumn, captioned ? Options.PanelCaptionsColumn : Options.CaptionColumn], Open);

        Func<IReadOnlyList<CuratedPair>> Open(DataViewRow row)
        {
            Func<Picture> sheet = InputReaders.Picture(row, Options.GridColumn);
            Func<string[]> captions = captioned
                ? PanelCaptions(row, layout)
                : Repeated(InputReaders.Text(row, Options.CaptionColumn, "a caption"), layout.Panels);
            CurationProgress progress = new(0, 0, 0);
            return () =>
            {
                (Picture grid, string[] prompts) = (sheet(), captions());
                (PanelPair[] pairs, PairJudgement[] judgements) = Work.Run(row.Position, 1, Options.KeptColumn, cancel => Judge(PanelCutter.Cut(grid, layout, cutting), prompts, cancel));
                progress = new CurationProgress(progress.Sheets + 1, progress.Pairs + pairs.Length, progress.Kept + judgements.Count(j => j.Kept));
                Options.Progress?.Report(progress);
                return [.. pairs.Zip(judgements).SelectMany(p => Rows(p.First, p.Second))];
            };
        }
    }

    private (PanelPair[] Pairs, PairJudgement[] Judgements) Judge(IReadOnlyList<Picture> panels, string[] prompts, CancellationToken cancel)
    {
        PanelPair[] pairs = [.. PanelCutter.Pairs(panels.Count, Options.Pairs).Select(p => new PanelPair(panels[p.First], panels[p.Second], prompts[p.First], prompts[p.Second]))];
        IPairJudge judge = Options.PairJudge ?? new PairJudge(_client.Value, Options.Judging);
        return (pairs, [.. judge.JudgeManyAsync(pairs.Select(p => new PicturePair(p.First, p.Second)), Options.Judging.Concurrency, cancel).ToBlockingEnumerable(cancel)]);
    }

    private AddedColumn[] Added(DataViewSchema input)
    {
        PanelCutterOptions cutting = Cutting(input);
        return Columns(Options, cutting is { PanelWidth: { } width, PanelHeight: { } height } ? MLImages.Type(width, height) : MLImages.Type(0, 0));
    }

    private GridLayout LayoutOf(DataViewSchema input) => Options.Layout ?? LayoutAnnotation.Find(input[Options.GridColumn])!;

    /// <summary>How sheets are cut: where the column says how large they are, panels get their share of that, whatever border is trimmed.</summary>
    private PanelCutterOptions Cutting(DataViewSchema input)
    {
        GridLayout layout = LayoutOf(input);
        return Options.Cutting is { PanelWidth: null, PanelHeight: null } cutting && input[Options.GridColumn].Type is ImageDataViewType { Width: > 0, Height: > 0 } sheet
            ? cutting with { PanelWidth = Math.Max(1, sheet.Width / layout.Columns), PanelHeight = Math.Max(1, sheet.Height / layout.Rows) }
            : Options.Cutting;
    }

    private IEnumerable<CuratedPair> Rows(PanelPair pair, PairJudgement judgement)
    {
        if (!judgement.Kept && !Options.IncludeRejected)
        {
            yield break;
        }
        yield return new CuratedPair(pair.First, pair.Second, pair.SecondCaption, judgement);
        if (Options.Pairs == PairChoice.Ordered)
        {
            yield return new CuratedPair(pair.Second, pair.First, pair.FirstCaption, judgement);
        }
    }

    private Func<string[]> PanelCaptions(DataViewRow row, GridLayout layout)
    {
        Func<string[]> read = InputReaders.Texts(row, Options.PanelCaptionsColumn);
        return () =>
        {
            string[] captions = read();
            return captions.Length == layout.Panels
                ? captions
                : throw new DsdRowException(row.Position, Options.PanelCaptionsColumn, $"expected {layout.Panels} texts, one for each panel of a {layout} sheet, found {captions.Length}.");
        };
    }

    private static Func<string[]> Repeated(Func<string> caption, int count) => () => [.. Enumerable.Repeat(caption(), count)];

    private static VersionInfo Version() => ModelEntry.Version("DSDCURAT", LoaderSignature);

    private protected override void Save(ModelSaveContext context)
    {
        if (Options.PairJudge is not null)
        {
            throw new InvalidOperationException($"A {nameof(VlmCurator)} with the option {nameof(VlmCuratorOptions.PairJudge)} cannot be saved, because a judge cannot. Make it anew where the model is loaded.");
        }
        if (Options.ChatClient is not null)
        {
            throw new InvalidOperationException(
                $"A {nameof(VlmCurator)} with the option {nameof(VlmCuratorOptions.ChatClient)} cannot be saved, because a client cannot. Register it, {nameof(ChatClients)}.{nameof(ChatClients.Register)}(\"name\", …), and set the option {nameof(VlmCuratorOptions.Judge)} to its name.");
        }
        ModelEntry.Save(context, Version(), Options);
    }

    private static VlmCuratorTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<VlmCuratorOptions>(context, Version()));

    private sealed record PanelPair(Picture First, Picture Second, string FirstCaption, string SecondCaption);
}
