using Dsd.Imaging;
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
/// <item><term>Reads</term><description><c>Reference</c>, <c>Target</c> (images), <c>Prompt</c> (text), <c>Kept</c> (Boolean) where it is there; the
/// fitted stage reads nothing.</description></item>
/// <item><term>Adds</term><description><c>Adapter</c> (<see cref="LoraWeights"/>).</description></item>
/// </list>
/// The adapter is noted at the column <c>Adapter</c> too, so that a following <see cref="DsdGenerator"/> finds it without reading a row:
/// reading one would draw the grids again.
/// </remarks>
public sealed class LoraFineTuner : IEstimator<LoraFineTunerTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly LoraFineTunerOptions _options;
    private readonly IStageModels _models;

    /// <summary>A fine-tuner with the given options, or the defaults: a brief run on the embedded model.</summary>
    public LoraFineTuner(MLContext mlContext, LoraFineTunerOptions? options = null)
        : this(mlContext, options, StageModels.Real)
    {
    }

    internal LoraFineTuner(IHostEnvironment mlContext, LoraFineTunerOptions? options, IStageModels models)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ColumnTypes.Register();
        _environment = mlContext;
        _options = options ?? new LoraFineTunerOptions();
        _models = models;
    }

    /// <summary>Reads the pairs and trains.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">There is no pair to train on, there are more than <see cref="LoraFineTunerOptions.MaxPairs"/>, or
    /// the GPU has too little free memory for any way of training.</exception>
    /// <exception cref="Models.Weights.WeightsException">A file of the model or an adapter is missing or wrong.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, there is no such device, or the size does not suit the model.</exception>
    /// <exception cref="IOException">A folder or file is missing or cannot be read.</exception>
    /// <exception cref="DsdRowException">A row cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public LoraFineTunerTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        bool rated = Check(ColumnCheck.ShapeOf(input.Schema));
        StageHost host = new(_environment, nameof(LoraFineTuner), _options.CancellationToken);
        LoraWeights adapter = host.Run(cancel =>
        {
            IReadOnlyList<TrainingPair> pairs = Pairs(input, rated ? _options.KeptColumn : null, cancel);
            host.Info($"Training a LoRA of '{_options.Model}' on {pairs.Count} pairs, on {_options.Device}.");
            return _models.Train(_options, pairs, host.Warn, cancel);
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
        _models.CheckTraining(_options);
        return rated;
    }

    private List<TrainingPair> Pairs(IDataView input, string? kept, CancellationToken cancel)
    {
        string[] reads = [_options.ReferenceColumn, _options.TargetColumn, _options.PromptColumn, .. kept is null ? Array.Empty<string>() : [kept]];
        using DataViewRowCursor cursor = input.GetRowCursor(reads.Select(name => input.Schema[name]).DistinctBy(c => c.Index));
        Func<bool> isKept = InputReaders.Flag(cursor, kept);
        Func<Picture> reference = InputReaders.Picture(cursor, _options.ReferenceColumn);
        Func<Picture> target = InputReaders.Picture(cursor, _options.TargetColumn);
        Func<string> prompt = InputReaders.Text(cursor, _options.PromptColumn, "a prompt");
        List<TrainingPair> pairs = [];
        long rows = 0;
        while (cursor.MoveNext())
        {
            cancel.ThrowIfCancellationRequested();
            rows++;
            if (!isKept())
            {
                continue;
            }
            if (pairs.Count == _options.MaxPairs)
            {
                throw new InvalidOperationException(
                    $"The input has more than {_options.MaxPairs} pairs. They are held in memory: "
                    + $"raise the option {nameof(LoraFineTunerOptions.MaxPairs)} if there is room, or take fewer rows.");
            }
            pairs.Add(new TrainingPair(reference(), target(), prompt()));
        }
        return pairs.Count > 0
            ? pairs
            : throw new InvalidOperationException(
                $"There is no pair to train on: the input gave {rows} rows{(rows == 0 ? "" : $", in none of which column '{kept}' is true")}. "
                + "If curation kept none, lower its threshold or draw more grids.");
    }
}
