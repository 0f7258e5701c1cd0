using Dsd.MLNet.Curation;
using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>
/// Has a vision-language model say for each pair of pictures whether both show the same subject: for pictures of one's own, where <see cref="VlmCurator"/>
/// cuts pairs out of grids. <c>ml.Data.LoadSubjects</c> makes the pairs of a folder.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>none: <see cref="Fit"/> only checks columns and options.</description></item>
/// <item><term>Reads</term><description><c>Reference</c>, <c>Target</c> (images).</description></item>
/// <item><term>Adds</term><description><c>Kept</c> (Boolean), <c>Confidence</c> (Single), <c>Reason</c> (text), and <c>Error</c> (text) where the options
/// ask for it.</description></item>
/// <item><term>Rows</term><description>one for each: <see cref="LoraFineTuner"/> leaves out those that are not kept, and <c>ml.Data</c> can filter
/// them.</description></item>
/// </list>
/// Rows are judged when a column of the verdict is read, as many at once as <see cref="Dsd.Curation.Judging.PairJudgeOptions.Concurrency"/> says, and again
/// when they are read again: <c>AppendRowStore</c> keeps them.
/// </remarks>
public sealed class PairCurator : IEstimator<PairCuratorTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly PairCuratorOptions _options;

    /// <summary>A curator with the given options, or the defaults: the embedded judge.</summary>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public PairCurator(IHostEnvironment mlContext, PairCuratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ColumnTypes.Register();
        _environment = mlContext;
        _options = options ?? new PairCuratorOptions();
        PairCuratorTransformer.CheckTogether(_options);
    }

    /// <summary>Checks the input's columns and the options. Nothing is judged before a row is read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">No chat client has the judge's name.</exception>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="IOException">The instructions file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The instructions file is empty or too large.</exception>
    public PairCuratorTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Check(ColumnCheck.ShapeOf(input.Schema));
        return new PairCuratorTransformer(_environment, _options);
    }

    /// <summary>The input's shape with the added columns. It checks what <see cref="Fit"/> checks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">No chat client has the judge's name.</exception>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="IOException">The instructions file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The instructions file is empty or too large.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Check(inputSchema);
        return _options.Policy.Extend(inputSchema, PairCuratorTransformer.Columns(_options));
    }

    private void Check(SchemaShape input)
    {
        PairCuratorTransformer.Check(_options, input);
        StageJudge.Check(_options);
    }
}
