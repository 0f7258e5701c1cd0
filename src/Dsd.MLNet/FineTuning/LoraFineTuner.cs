using System.Diagnostics;
using Dsd.Imaging;
using Dsd.MLNet.FineTuning;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Dsd.Models.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>
/// Distils a text-to-image model into a text+image-to-image model by training a LoRA on pairs: the third stage of Diffusion
/// Self-Distillation (arXiv 2411.18616, section 3.2).
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>yes: <see cref="Fit"/> reads every row once, then trains.</description></item>
/// <item><term>Reads</term><description><c>Reference</c>, <c>Target</c> (images), <c>Prompt</c> (text), <c>Kept</c> (Boolean) where it is there, and
/// <see cref="LoraFineTunerOptions.HeldOutColumn"/> (Boolean) where one is named; the fitted stage reads nothing.</description></item>
/// <item><term>Adds</term><description><c>Adapter</c> (<see cref="LoraWeights"/>).</description></item>
/// </list>
/// The adapter is noted at the column <c>Adapter</c> too, so that a following <see cref="DsdGenerator"/> finds it without reading a row:
/// reading one would draw the grids again. Rows wait in a scratch file until all are read, and are never held in memory. How training goes stands in the
/// context's log (<c>MLContext.Log</c>).
/// </remarks>
public sealed class LoraFineTuner : IEstimator<LoraFineTunerTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly LoraFineTunerOptions _options;
    private readonly IStageModels _models;

    /// <summary>A fine-tuner with the given options, or the defaults: a brief run on the embedded model.</summary>
    public LoraFineTuner(IHostEnvironment mlContext, LoraFineTunerOptions? options = null)
        : this(mlContext, options, StageModels.Real)
    {
    }

    internal LoraFineTuner(IHostEnvironment mlContext, LoraFineTunerOptions? options, IStageModels models)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ColumnTypes.Register();
        _environment = mlContext;
        _options = options ?? new LoraFineTunerOptions();
        // What a context says of the seed is settled with the options, so that it is saved.
        if (_options.Training is not null || mlContext is IHostEnvironmentInternal { Seed: not null })
        {
            _options = _options with { Training = ModelDefaults.Training(_options, (mlContext as IHostEnvironmentInternal)?.Seed) };
        }
        _models = models;
    }

    /// <summary>Reads the pairs and trains.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">There is no pair to train on, or the GPU has too little free memory for any way of training.</exception>
    /// <exception cref="Models.Weights.WeightsException">A file of the model or an adapter is missing or wrong.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, there is no such device, or the size does not suit the model.</exception>
    /// <exception cref="IOException">A folder or file is missing or cannot be read, or the rows find no place among temporary files.</exception>
    /// <exception cref="DsdRowException">A row cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public LoraFineTunerTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        bool rated = Check(ColumnCheck.ShapeOf(input.Schema));
        StageHost host = new(_environment, nameof(LoraFineTuner), _options.CancellationToken);
        LoraWeights adapter = host.Run(cancel =>
        {
            using TrainingRows rows = Read(input, rated ? _options.KeptColumn : null, host, cancel);
            LoraFineTunerOptions placed = _options with { Device = ContextDefaults.TorchDevice(_environment, _options.Device, _models, host.Warn) };
            return _models.Train(placed, rows, host, cancel);
        });
        return new LoraFineTunerTransformer(_environment, _options, adapter);
    }

    /// <summary>
    /// The input's shape with the added column. The model's files, the device and the options are checked, as <see cref="Fit"/> does; no weights are
    /// read.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="Models.Weights.WeightsException">A file of the model or an adapter is missing or wrong.</exception>
    /// <exception cref="InvalidOperationException">The GPU has too little free memory for any way of training.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, there is no such device, or the size does not suit the model.</exception>
    /// <exception cref="IOException">A folder or file is missing or cannot be read.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Check(inputSchema);
        return ColumnCheck.Add(inputSchema, LoraFineTunerTransformer.Column(_options, null).Shape);
    }

    /// <returns>Whether the input says which pairs are kept.</returns>
    private bool Check(SchemaShape input)
    {
        ColumnCheck.Image(input, "reference", _options.ReferenceColumn);
        ColumnCheck.Image(input, "target", _options.TargetColumn);
        ColumnCheck.Text(input, "prompt", _options.PromptColumn);
        bool rated = ColumnCheck.Optional(input, "kept", _options.KeptColumn, BooleanDataViewType.Instance);
        ColumnCheck.Flag(input, "held-out", _options.HeldOutColumn);
        _models.CheckTraining(
            _options with { Device = ContextDefaults.TorchDevice(_environment, _options.Device, _models) }, ContextDefaults.TemporaryFolder(_environment));
        return rated;
    }

    /// <summary>Goes through the rows once.</summary>
    private TrainingRows Read(IDataView input, string? kept, StageHost host, CancellationToken cancel)
    {
        string?[] reads = [_options.ReferenceColumn, _options.TargetColumn, _options.PromptColumn, kept, _options.HeldOutColumn];
        using DataViewRowCursor cursor = input.GetRowCursor(reads.OfType<string>().Select(name => input.Schema[name]).DistinctBy(c => c.Index));
        Func<bool> isKept = InputReaders.Flag(cursor, kept, without: true);
        Func<bool> isHeldOut = InputReaders.Flag(cursor, _options.HeldOutColumn, without: false);
        Func<Picture> reference = InputReaders.Picture(cursor, _options.ReferenceColumn);
        Func<Picture> target = InputReaders.Picture(cursor, _options.TargetColumn);
        Func<string> prompt = InputReaders.Text(cursor, _options.PromptColumn, "a prompt");
        long began = Stopwatch.GetTimestamp();
        TrainingRows pairs = new(ContextDefaults.TemporaryFolder(_environment));
        try
        {
            long rows = 0;
            while (cursor.MoveNext())
            {
                cancel.ThrowIfCancellationRequested();
                rows++;
                if (isKept())
                {
                    pairs.Add(new TrainingPair(reference(), target(), prompt()), isHeldOut());
                }
            }
            if (pairs.Count == 0)
            {
                throw new InvalidOperationException(NoPair(rows, pairs.HeldOutCount, kept));
            }
            host.Info(FormattableString.Invariant(
                $"Read {rows} rows in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s: {pairs.Count} to train on, {pairs.HeldOutCount} held out, ")
                + $"{rows - pairs.Count - pairs.HeldOutCount} not kept.");
            return pairs;
        }
        catch
        {
            pairs.Dispose();
            throw;
        }
    }

    private string NoPair(long rows, long heldOut, string? kept) =>
        $"There is no pair to train on: the input gave {rows} rows"
        + (rows == 0 ? ""
            : heldOut == 0 ? $", in none of which column '{kept}' is true"
            : $", and in {(heldOut == rows ? "all of them" : $"all {heldOut} that are kept")} column '{_options.HeldOutColumn}' is true")
        + (heldOut == 0 ? ". If curation kept none, lower its threshold or draw more grids." : ". Hold fewer rows out.");
}
