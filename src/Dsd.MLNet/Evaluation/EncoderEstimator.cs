using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>What the stages have in common that use an exported encoder: nothing is trained, and <see cref="Fit"/> reads no row.</summary>
/// <typeparam name="TTransformer">The fitted stage.</typeparam>
public abstract class EncoderEstimator<TTransformer> : IEstimator<TTransformer>
    where TTransformer : EncoderTransformer
{
    private readonly IHostEnvironment _environment;

    private protected EncoderEstimator(IHostEnvironment mlContext)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ColumnTypes.Register();
        _environment = mlContext;
    }

    /// <summary>Checks columns, options, the encoder's files and the device. The network is loaded when the first value is read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="Models.Weights.WeightsException">The encoder's folder is none, or a file is missing or cut short.</exception>
    /// <exception cref="NotSupportedException">There is no such device here, or the encoder cannot do what is asked.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Checked(ColumnCheck.ShapeOf(input.Schema));
    }

    /// <summary>The input's shape with the added columns. It checks what <see cref="Fit"/> checks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="Models.Weights.WeightsException">The encoder's folder is none, or a file is missing or cut short.</exception>
    /// <exception cref="NotSupportedException">There is no such device here, or the encoder cannot do what is asked.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        using TTransformer fitted = Checked(inputSchema);
        return fitted.Extend(inputSchema);
    }

    /// <summary>Makes the fitted stage, which loads nothing yet.</summary>
    private protected abstract TTransformer Create(IHostEnvironment environment);

    private TTransformer Checked(SchemaShape input)
    {
        TTransformer fitted = Create(_environment);
        try
        {
            fitted.Require(input);
            return fitted;
        }
        catch
        {
            fitted.Dispose();
            throw;
        }
    }
}
