using Dsd.Curation.Judging;
using Dsd.MLNet.Curation;
using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>
/// Cuts grids into panels and has a vision-language model keep the pairs that show the same subject: the second stage of Diffusion
/// Self-Distillation (arXiv 2411.18616, section 3.1).
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>none: <see cref="Fit"/> only checks columns and options.</description></item>
/// <item><term>Reads</term><description><c>Grid</c> (image), <c>PanelCaptions</c> (texts) or else <c>Caption</c> (text).</description></item>
/// <item><term>Adds</term><description><c>Reference</c>, <c>Target</c> (images), <c>Prompt</c>, <c>Reason</c> (text), <c>Kept</c> (Boolean),
/// <c>Confidence</c> (Single), and <c>Error</c> (text) where the options ask for it.</description></item>
/// <item><term>Rows</term><description>none to many for each grid. How many is known by judging only, so reading any column judges.</description></item>
/// </list>
/// Grids are read, and so drawn, ahead of the row that is asked for, and judged meanwhile: as many as <see cref="PairJudgeOptions.Concurrency"/> can
/// judge at once, and four more, are held at most. Rows come in the order of the grids whichever is judged first, and what goes wrong with a grid
/// comes where its rows would. Disposing the cursor ends what runs. PredictionEngine maps rows one to one and refuses a chain with a curator in it.
/// Append this stage with <c>TransformerScope.Training</c> and take <c>GetModelFor(TransformerScope.Scoring)</c> of the fitted chain.
/// </remarks>
public sealed class VlmCurator : IEstimator<VlmCuratorTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly VlmCuratorOptions _options;

    /// <summary>A curator with the given options, or the defaults: the embedded judge.</summary>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public VlmCurator(IHostEnvironment mlContext, VlmCuratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ColumnTypes.Register();
        _environment = mlContext;
        _options = options ?? new VlmCuratorOptions();
        VlmCuratorTransformer.CheckTogether(_options);
    }

    /// <summary>Checks the input's columns and the options. Nothing is judged before a row is read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">Neither the options nor the grid's column say how the panels lie, or no chat client has the
    /// judge's name.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, or panels of the grids would be too small.</exception>
    /// <exception cref="IOException">The instructions file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The instructions file is empty or too large.</exception>
    public VlmCuratorTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Check(ColumnCheck.ShapeOf(input.Schema));
        return new VlmCuratorTransformer(_environment, _options);
    }

    /// <summary>The input's shape with the added columns. It checks what <see cref="Fit"/> checks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">Neither the options nor the grid's column say how the panels lie, or no chat client has the
    /// judge's name.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, or panels of the grids would be too small.</exception>
    /// <exception cref="IOException">The instructions file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The instructions file is empty or too large.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        GridPlan plan = Check(inputSchema);
        return ColumnCheck.Add(inputSchema, VlmCuratorTransformer.Columns(_options, plan).Select(c => c.Shape));
    }

    private GridPlan Check(SchemaShape input)
    {
        GridPlan plan = VlmCuratorTransformer.Check(_options, input);
        StageJudge.Check(_options);
        return plan;
    }
}
