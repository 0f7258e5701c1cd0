using System.Diagnostics;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.MLNet;
using Dsd.MLNet.Curation;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Stages.Saving;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(PairCuratorTransformer), null, typeof(SignatureLoadModel), "DSD pair curator", PairCuratorTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="PairCurator"/>: judges the two pictures of each row.</summary>
public sealed class PairCuratorTransformer : RowToRowTransformer
{
    internal const string LoaderSignature = "DsdPairCurator";
    private readonly SharedTool<IPairJudge> _judge;

    internal PairCuratorTransformer(IHostEnvironment environment, PairCuratorOptions options)
        : base(new StageHost(environment, nameof(PairCurator), options.CancellationToken))
    {
        CheckTogether(options);
        Options = options;
        Added = Columns(options);
        _judge = new SharedTool<IPairJudge>(nameof(PairCuratorTransformer), () => StageJudge.Make(options));
    }

    /// <summary>The options that it was made with.</summary>
    public PairCuratorOptions Options { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

    private protected override RowPolicy Policy => Options.Policy;

    /// <summary>The same stage with other options: another judge, concurrency or what else is to change where it runs.</summary>
    /// <param name="options">All options, as a rule <c>Options with { … }</c>.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public PairCuratorTransformer With(PairCuratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new PairCuratorTransformer(Host.Environment, options);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Host.Close();
        _judge.Dispose();
    }

    internal static AddedColumn[] Columns(PairCuratorOptions options)
    {
        string[] reads = [options.ReferenceColumn, options.TargetColumn];
        return
        [
            new(options.KeptColumn, BooleanDataViewType.Instance, reads),
            new(options.ConfidenceColumn, NumberDataViewType.Single, reads),
            new(options.ReasonColumn, TextDataViewType.Instance, reads),
        ];
    }

    internal static void Check(PairCuratorOptions options, SchemaShape input)
    {
        ColumnCheck.Image(input, "reference", options.ReferenceColumn);
        ColumnCheck.Image(input, "target", options.TargetColumn);
    }

    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    internal static void CheckTogether(PairCuratorOptions options)
    {
        options.Policy.RequireDifferent(Columns(options));
        StageJudge.CheckTogether(options);
    }

    private protected override void Check(SchemaShape input) => Check(Options, input);

    private protected override int WindowSize(Func<string, bool> isActive) => Added.Any(c => isActive(c.Name)) ? Options.Judging.Concurrency : 1;

    private protected override Func<string, Delegate> Open(RowWindow rows, out Func<string?> fault)
    {
        Func<Picture> reference = InputReaders.Picture(rows.Row, Options.ReferenceColumn);
        Func<Picture> target = InputReaders.Picture(rows.Row, Options.TargetColumn);
        PerRow<Outcome<RowPair>> pairs = new(rows, () => Policy.Try(() => new RowPair(rows.Row.Position, reference(), target())));
        PerWindow<Outcome<PairJudgement>> judged = new(rows, () => Outcome.Map([.. Enumerable.Range(0, rows.Count).Select(pairs.At)], good =>
        {
            long began = Stopwatch.GetTimestamp();
            PairJudgement[] judgements = JudgeAsync(good, rows.Stopped).GetAwaiter().GetResult();
            rows.Computed(Host, Stopwatch.GetElapsedTime(began));
            return judgements;
        }));
        fault = () => pairs.Current.Error;
        return column => column == Options.KeptColumn ? (ValueGetter<bool>)((ref value) => value = judged.Current.Value?.Kept ?? false)
            : column == Options.ConfidenceColumn ? (ValueGetter<float>)((ref value) => value = (float)(judged.Current.Value?.Verdict?.Confidence ?? double.NaN))
            : (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = (judged.Current.Value?.Reason).AsMemory());
    }

    private protected override string Describe() =>
        ModelEntry.Description(nameof(PairCurator), Options with { Judging = Options.Judging with { Concurrency = 1 } });

    private static VersionInfo Version() => ModelEntry.Version("DSDPAIRC", LoaderSignature, 1);

    private protected override void Save(ModelSaveContext context)
    {
        StageJudge.RequireSavable(Options, nameof(PairCurator));
        ModelEntry.Save(context, Version(), Options);
    }

    private static PairCuratorTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<PairCuratorOptions>(context, Version()));

    /// <summary>Judges the pairs of a window at once. The first that fails ends the others.</summary>
    private async Task<PairJudgement[]> JudgeAsync(RowPair[] pairs, CancellationToken stopped)
    {
        using CancellationTokenSource rest = CancellationTokenSource.CreateLinkedTokenSource(stopped);
        return await Task.WhenAll(pairs.Select(One)).ConfigureAwait(false);

        async Task<PairJudgement> One(RowPair pair)
        {
            try
            {
                return await Host.RunAsync(pair.Row, 1, Options.KeptColumn, rest.Token, cancel =>
                    Task.Run(() => _judge.UseAsync(judge => judge.JudgeAsync(pair.Reference, pair.Target, cancel)), cancel)).ConfigureAwait(false);
            }
            catch
            {
                await rest.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private sealed record RowPair(long Row, Picture Reference, Picture Target);
}
