using Dsd.MLNet.FineTuning;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>
/// Draws the subject of a reference picture as a prompt says, through ONNX Runtime: the last stage of Diffusion Self-Distillation
/// (arXiv 2411.18616, section 3.2), with nothing tuned per subject.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>none: <see cref="Fit"/> merges the adapter and exports the model to ONNX. It reads no row.</description></item>
/// <item><term>Reads</term><description><c>Reference</c> (image), <c>Prompt</c> (text); at <see cref="Fit"/> the adapter noted at <c>Adapter</c>,
/// where it is there, unless the generator was given one.</description></item>
/// <item><term>Adds</term><description><c>Generated</c> (image), and where the options ask for them <c>Number</c> (Int64) and <c>Error</c>
/// (text).</description></item>
/// </list>
/// Pictures are drawn when they are read, a batch at a time. One at a time: <c>PredictionEngine</c>.
/// </remarks>
public sealed class DsdGenerator : IEstimator<DsdGeneratorTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly DsdGeneratorOptions _options;
    private readonly IStageModels _models;
    private readonly LoraWeights? _adapter;

    /// <summary>A generator with the given options, or the defaults: the embedded model.</summary>
    public DsdGenerator(IHostEnvironment mlContext, DsdGeneratorOptions? options = null)
        : this(mlContext, options, StageModels.Real)
    {
    }

    /// <summary>
    /// A generator with an adapter at hand: <see cref="LoraFineTunerTransformer.Adapter"/> of a fine-tuner that was fitted before, or one that
    /// <see cref="LoraWeights.Load"/> has read. Its input brings none, and the options name no <see cref="DsdGeneratorOptions.LoraFile"/>.
    /// </summary>
    public DsdGenerator(IHostEnvironment mlContext, DsdGeneratorOptions? options, LoraWeights adapter)
        : this(mlContext, options, StageModels.Real, adapter ?? throw new ArgumentNullException(nameof(adapter)))
    {
    }

    internal DsdGenerator(IHostEnvironment mlContext, DsdGeneratorOptions? options, IStageModels models, LoraWeights? adapter = null)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ColumnTypes.Register();
        _environment = mlContext;
        _options = DsdGeneratorTransformer.Settled(mlContext, options ?? new DsdGeneratorOptions());
        _models = models;
        _adapter = adapter;
    }

    /// <summary>
    /// Takes the adapter that is at hand, or that of the input's schema or of the options, and exports the model, or loads it with TorchSharp. No row is read.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">The input and the options both give an adapter, or none does and the model needs one; or nobody knows
    /// the <see cref="DsdGeneratorOptions.Enhancer"/>.</exception>
    /// <exception cref="Models.Weights.WeightsException">A file of the model or an adapter is missing or wrong.</exception>
    /// <exception cref="NotSupportedException">ONNX Runtime has no such device here.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, there is no such device, or the size does not suit the model.</exception>
    /// <exception cref="IOException">A folder or file is missing or cannot be read, or the ONNX folder not written.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public DsdGeneratorTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        bool tuned = Check(ColumnCheck.ShapeOf(input.Schema));
        LoraWeights? adapter = _adapter ?? (tuned ? Adapter(input.Schema[_options.AdapterColumn!]) : DefaultAdapter());
        DsdGeneratorTransformer fitted = new(_environment, _options, adapter, _models);
        try
        {
            fitted.Prepare();
            return fitted;
        }
        catch
        {
            fitted.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The input's shape with the added column. The model's and adapter's files, the device and the options are checked, as <see cref="Fit"/> does;
    /// no weights are read.
    /// </summary>
    /// <remarks>A chain calls this for all its stages before it fits the first, so a typo in the last one shows before anything is drawn.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">The input and the options both give an adapter, or none does and the model needs one; or nobody knows
    /// the <see cref="DsdGeneratorOptions.Enhancer"/>.</exception>
    /// <exception cref="NotSupportedException">ONNX Runtime has no such device here.</exception>
    /// <exception cref="Models.Weights.WeightsException">A file of the model or an adapter is missing or wrong.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, there is no such device, or the size does not suit the model.</exception>
    /// <exception cref="IOException">A folder or file is missing or cannot be read.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Check(inputSchema);
        return _options.Policy.Extend(inputSchema, [DsdGeneratorTransformer.Column(_options)]);
    }

    /// <summary>Everything that can be known before a row is read, and so before the stages in front of this one have worked for hours.</summary>
    /// <returns>Whether the input brings an adapter, or one is at hand.</returns>
    private bool Check(SchemaShape input)
    {
        DsdGeneratorTransformer.CheckTogether(_options);
        if (_options.Enhancer is { } enhancer)
        {
            ChatClients.RequireEnhancer(enhancer);
        }
        DsdGeneratorTransformer.Check(_options, input);
        bool tuned = ColumnCheck.Optional(input, "adapter", _options.AdapterColumn, new LoraDataViewType());
        string column = $"the input's column '{_options.AdapterColumn}'";
        const string NoColumn = $"Set the option {nameof(DsdGeneratorOptions.AdapterColumn)} to null";
        if (_adapter is not null && tuned)
        {
            throw new InvalidOperationException($"The generator has an adapter at hand, and {column} brings one too. {NoColumn} to use the one at hand.");
        }
        if ((tuned || _adapter is not null) && _options.LoraFile is { } file)
        {
            throw new InvalidOperationException(
                $"The option {nameof(DsdGeneratorOptions.LoraFile)} ('{file}') and {(tuned ? column : "the adapter that is at hand")} both give an adapter. "
                    + (tuned ? $"{NoColumn} to use the file." : "Leave the option out."));
        }
        tuned |= _adapter is not null;
        _models.CheckStudent(
            _options with { Device = DsdGeneratorTransformer.Device(_environment, _options, _models) }, tuned, ContextDefaults.TemporaryFolder(_environment));
        return tuned;
    }

    private LoraWeights? DefaultAdapter() => ModelDefaults.AdapterFile(_options) is { } file
        ? LoraWeights.Load(file, _options.LoraTextEncoders, new StageHost(_environment, nameof(DsdGenerator), _options.CancellationToken).Warn)
        : null;

    private LoraWeights Adapter(DataViewSchema.Column column) => AdapterAnnotation.Find(column) ?? throw new InvalidOperationException(
        $"Column '{_options.AdapterColumn}' has no adapter noted at it, as {nameof(LoraFineTuner)} leaves it. "
        + $"Give the generator the adapter itself, with the option {nameof(DsdGeneratorOptions.AdapterColumn)} null.");
}
