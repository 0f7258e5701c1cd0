using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>What the fitted stages have in common: they are lazy, own the models that they load, and can be saved.</summary>
/// <remarks>
/// A model is loaded when the first value that needs it is read, and released by <see cref="Dispose"/>. Computing a value afterwards, in a view that
/// is still read, gives an <see cref="ObjectDisposedException"/>; so does computing one meanwhile. Several threads may read at once; they take turns
/// at the model.
/// </remarks>
public abstract class DsdTransformer : ITransformer, IDisposable
{
    private protected DsdTransformer(StageHost host)
    {
        ColumnTypes.Register();
        Host = host;
    }

    private protected StageHost Host { get; }

    /// <summary>Whether each input row gives exactly one output row.</summary>
    public abstract bool IsRowToRowMapper { get; }

    /// <summary>The schema of what <see cref="Transform"/> gives for an input with the given schema. Nothing is computed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    public abstract DataViewSchema GetOutputSchema(DataViewSchema inputSchema);

    /// <summary>The transformer as a mapping of single rows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException"><see cref="IsRowToRowMapper"/> is false.</exception>
    public abstract IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema);

    /// <summary>A view over the input with the added columns, which are computed row by row when they are read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has the wrong type.</exception>
    public abstract IDataView Transform(IDataView input);

    void ICanSaveModel.Save(ModelSaveContext ctx) => Save(ctx);

    /// <summary>Releases the models and temporary files that this transformer owns. Calling it again does nothing.</summary>
    public abstract void Dispose();

    private protected abstract void Save(ModelSaveContext context);
}
