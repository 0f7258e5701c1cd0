using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>A fitted stage that adds columns to each row and leaves rows as they come.</summary>
public abstract class RowToRowTransformer : DsdTransformer
{
    private protected RowToRowTransformer(StageHost host)
        : base(host)
    {
    }

    /// <summary>True: each input row gives one output row.</summary>
    public sealed override bool IsRowToRowMapper => true;

    /// <summary>The columns that are added.</summary>
    private protected abstract IReadOnlyList<AddedColumn> Added { get; }

    /// <inheritdoc/>
    public sealed override DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => Bind(inputSchema).OutputSchema;

    /// <inheritdoc/>
    public sealed override IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => Bind(inputSchema);

    /// <inheritdoc/>
    public sealed override IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedView(input, Bind(input.Schema));
    }

    /// <summary>Checks the input columns.</summary>
    private protected abstract void Check(SchemaShape input);

    /// <summary>How many rows a cursor with these added columns active takes at once.</summary>
    private protected virtual int WindowSize(Func<string, bool> isActive) => 1;

    /// <summary>Makes the getters of the added columns over one cursor's rows: a <c>ValueGetter</c> of the column's type for each name.</summary>
    private protected abstract Func<string, Delegate> Open(RowWindow rows);

    private RowMapper Bind(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Check(ColumnCheck.ShapeOf(inputSchema));
        return new RowMapper(inputSchema, Added, WindowSize, Open);
    }
}
