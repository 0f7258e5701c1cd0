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
    // A batch of sheets, as the grid generator draws them: so much is judged while the next is drawn.
    private const int SheetsAhead = 4;
    private readonly SharedTool<IPairJudge> _judge;

    internal VlmCuratorTransformer(IHostEnvironment environment, VlmCuratorOptions options)
        : base(new Work(environment, nameof(VlmCurator), options.CancellationToken))
    {
        CheckTogether(options);
        Options = options;
        _judge = new SharedTool<IPairJudge>(nameof(VlmCuratorTransformer), () => Judge(options));
    }

    /// <summary>The options that it was made with.</summary>
    public VlmCuratorOptions Options { get; }

    /// <summary>False: a sheet gives as many rows as pairs are kept.</summary>
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
        $"{nameof(VlmCurator)} gives none to many rows for each input row. Append it with TransformerScope.Training and use GetModelFor(TransformerScope.Scoring) of the fitted chain.");

    /// <inheritdoc/>
    public override IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        SheetPlan plan = Check(Options, ColumnCheck.ShapeOf(input.Schema));
        AddedColumn[] added = Columns(Options, plan);
        return new CuratedView(input, AddedColumn.Extend(input.Schema, added), added, Reading(plan, LayoutOf(input.Schema)));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Work.Close();
        _judge.Dispose();
    }

    internal static AddedColumn[] Columns(VlmCuratorOptions options, SheetPlan plan)
    {
        ImageDataViewType panel = plan.Cutting is { PanelWidth: { } width, PanelHeight: { } height } ? MLImages.Type(width, height) : MLImages.Type(0, 0);
        return
        [
            new(options.ReferenceColumn, panel, []),
            new(options.TargetColumn, panel, []),
            new(options.PromptColumn, TextDataViewType.Instance, []),
            new(options.KeptColumn, BooleanDataViewType.Instance, []),
            new(options.ConfidenceColumn, NumberDataViewType.Single, []),
            new(options.ReasonColumn, TextDataViewType.Instance, []),
        ];
    }

    /// <summary>Checks the input's columns and tells how its sheets are cut.</summary>
    internal static SheetPlan Check(VlmCuratorOptions options, SchemaShape input)
    {
        ColumnCheck.Image(input, "sheet", options.GridColumn);
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
        if (options.Layout is null && !LayoutAnnotation.IsAt(grid))
        {
            throw new InvalidOperationException(
                $"Column '{options.GridColumn}' does not say how the panels of its sheets lie, as those of {nameof(GridGenerator)} do. Set the option {nameof(VlmCuratorOptions.Layout)}, such as {nameof(GridLayout)}.{nameof(GridLayout.TwoByTwo)}.");
        }
        if (grid.ItemType is ImageDataViewType { Width: > 0, Height: > 0 } sheet && (options.Layout ?? LayoutAnnotation.Known(grid)) is { } layout)
        {
            PanelCutter.RequireSize(sheet.Width, sheet.Height, layout);
        }
        return new SheetPlan(captioned, Cutting(options, grid));
    }

    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    internal static void CheckTogether(VlmCuratorOptions options)
    {
        OptionCheck.Different(Columns(options, new SheetPlan(false, options.Cutting)).Select(c => c.Name));
        if ((options.ChatClient is not null || options.PairJudge is not null) && options.Judge != ChatClients.Embedded)
        {
            throw new ArgumentException($"Options {(options.ChatClient is not null ? nameof(options.ChatClient) : nameof(options.PairJudge))} and Judge ('{options.Judge}') both name a judge: give one of them.", nameof(options));
        }
        if (options.ChatClient is not null && options.PairJudge is not null)
        {
            throw new ArgumentException("Options ChatClient and PairJudge both name a judge: give one of them.", nameof(options));
        }
    }

    private static (IPairJudge Judge, IDisposable? Owned) Judge(VlmCuratorOptions options)
    {
        if (options.PairJudge is not null || options.ChatClient is not null)
        {
            return (options.PairJudge ?? new PairJudge(options.ChatClient!, options.Judging), null);
        }
        IChatClient client = ChatClients.Create(options.Judge);
        return (new PairJudge(client, options.Judging), client);
    }

    /// <summary>How the sheets of a view are read. All sheets of a cursor share what may be judged at the same time.</summary>
    private SheetReading Reading(SheetPlan plan, GridLayout layout)
    {
        int pairs = PanelCutter.Pairs(layout.Panels, Options.Pairs).Count;
        return new SheetReading(
            [Options.GridColumn, plan.Captioned ? Options.PanelCaptionsColumn : Options.CaptionColumn],
            ((Options.Judging.Concurrency + pairs - 1) / pairs) + SheetsAhead,
            Open,
            Reporter);

        Func<CancellationToken, Task<JudgedSheet>> Open(DataViewRow row)
        {
            SemaphoreSlim places = new(Options.Judging.Concurrency);
            Func<Picture> sheet = InputReaders.Picture(row, Options.GridColumn);
            Func<string[]> captions = plan.Captioned
                ? PanelCaptions(row, layout)
                : Repeated(InputReaders.Text(row, Options.CaptionColumn, "a caption"), layout.Panels);
            return stopped =>
            {
                (Picture grid, string[] prompts) = (sheet(), captions());
                return Work.RunAsync(row.Position, 1, Options.KeptColumn, stopped, cancel => JudgeAsync(PanelCutter.Cut(grid, layout, plan.Cutting), prompts, places, cancel));
            };
        }

        Action<JudgedSheet> Reporter()
        {
            CurationProgress progress = new(0, 0, 0);
            return sheet =>
            {
                progress = new CurationProgress(progress.Sheets + 1, progress.Pairs + sheet.Judged, progress.Kept + sheet.Kept);
                Options.Progress?.Report(progress);
            };
        }
    }

    private async Task<JudgedSheet> JudgeAsync(IReadOnlyList<Picture> panels, string[] prompts, SemaphoreSlim places, CancellationToken cancel)
    {
        PanelPair[] pairs = [.. PanelCutter.Pairs(panels.Count, Options.Pairs).Select(p => new PanelPair(panels[p.First], panels[p.Second], prompts[p.First], prompts[p.Second]))];
        using CancellationTokenSource rest = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        async Task<PairJudgement> One(PanelPair pair)
        {
            // First come, first served: the pairs of earlier sheets are asked about first.
            await places.WaitAsync(rest.Token).ConfigureAwait(false);
            try
            {
                return await Task.Run(() => _judge.UseAsync(judge => judge.JudgeAsync(pair.First, pair.Second, rest.Token)), rest.Token).ConfigureAwait(false);
            }
            catch
            {
                await rest.CancelAsync().ConfigureAwait(false);
                throw;
            }
            finally
            {
                places.Release();
            }
        }
        PairJudgement[] judgements = await Task.WhenAll(pairs.Select(One)).ConfigureAwait(false);
        return new JudgedSheet(pairs.Length, judgements.Count(j => j.Kept), [.. pairs.Zip(judgements).SelectMany(p => Rows(p.First, p.Second))]);
    }

    private GridLayout LayoutOf(DataViewSchema input) => Options.Layout ?? LayoutAnnotation.Find(input[Options.GridColumn])!;

    /// <summary>How sheets are cut: where the column says how large they are and how their panels lie, panels get their share of that, whatever border is trimmed.</summary>
    private static PanelCutterOptions Cutting(VlmCuratorOptions options, SchemaShape.Column grid)
    {
        if (options.Cutting is not { PanelWidth: null, PanelHeight: null } || grid.ItemType is not ImageDataViewType { Width: > 0, Height: > 0 } sheet
            || (options.Layout ?? LayoutAnnotation.Known(grid)) is not { } layout)
        {
            return options.Cutting;
        }
        return options.Cutting with { PanelWidth = Math.Max(1, sheet.Width / layout.Columns), PanelHeight = Math.Max(1, sheet.Height / layout.Rows) };
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

    /// <summary>What the shape of the input says about its sheets.</summary>
    /// <param name="Captioned">Whether each panel has a caption of its own.</param>
    /// <param name="Cutting">How sheets are cut.</param>
    internal sealed record SheetPlan(bool Captioned, PanelCutterOptions Cutting);

    private sealed record PanelPair(Picture First, Picture Second, string FirstCaption, string SecondCaption);
}
