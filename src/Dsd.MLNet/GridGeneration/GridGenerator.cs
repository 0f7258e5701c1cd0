using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>
/// Has a text-to-image model draw grids that show one subject several times: the first stage of Diffusion Self-Distillation
/// (arXiv 2411.18616, section 3.1).
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>none: <see cref="Fit"/> only checks columns and options.</description></item>
/// <item><term>Reads</term><description><c>Caption</c> (text).</description></item>
/// <item><term>Adds</term><description><c>GridPrompt</c> (text), <c>PanelCaptions</c> (a text for each panel), <c>Grid</c> (image), and where the options ask
/// for them <c>Number</c> (Int64) and <c>Error</c> (text).</description></item>
/// </list>
/// Grids are drawn when they are read, a batch at a time, and again when they are read again.
/// </remarks>
public sealed class GridGenerator : IEstimator<GridGeneratorTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly GridGeneratorOptions _options;
    private readonly IStageModels _models;

    /// <summary>A grid generator with the given options, or the defaults: the embedded model.</summary>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public GridGenerator(IHostEnvironment mlContext, GridGeneratorOptions? options = null)
        : this(mlContext, options, StageModels.Real)
    {
    }

    internal GridGenerator(IHostEnvironment mlContext, GridGeneratorOptions? options, IStageModels models)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ColumnTypes.Register();
        _environment = mlContext;
        _options = GridGeneratorTransformer.Settled(mlContext, options ?? new GridGeneratorOptions());
        _models = models;
        GridGeneratorTransformer.CheckTogether(_options);
    }

    /// <summary>Checks the input's columns, the model's files, the device and the options. The model is loaded when the first grid is read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The caption column is missing or is no text.</exception>
    /// <exception cref="InvalidOperationException">No chat client has the name that the options give.</exception>
    /// <exception cref="Models.Weights.WeightsException">A file of the model or an adapter is missing or wrong.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, there is no such device, or the size does not suit the model.</exception>
    /// <exception cref="IOException">A folder or file is missing or cannot be read.</exception>
    public GridGeneratorTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Check(ColumnCheck.ShapeOf(input.Schema));
        return new GridGeneratorTransformer(_environment, _options, _models);
    }

    /// <summary>The input's shape with the added columns. It checks what <see cref="Fit"/> checks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The caption column is missing or is no text.</exception>
    /// <exception cref="InvalidOperationException">No chat client has the name that the options give.</exception>
    /// <exception cref="Models.Weights.WeightsException">A file of the model or an adapter is missing or wrong.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, there is no such device, or the size does not suit the model.</exception>
    /// <exception cref="IOException">A folder or file is missing or cannot be read.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Check(inputSchema);
        return _options.Policy.Extend(inputSchema, GridGeneratorTransformer.Columns(_options));
    }

    private void Check(SchemaShape input)
    {
        GridGeneratorTransformer.Check(_options, input);
        if (_options.PromptClient is { } client)
        {
            ChatClients.RequireKnown(client);
        }
        _models.CheckTeacher(_options with { Device = ContextDefaults.TorchDevice(_environment, _options.Device, _models) });
    }
}
