using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>A fitted stage that adds columns to each row and leaves rows as they come, unless its options ask for fewer or more.</summary>
public abstract class RowToRowTransformer : DsdTransformer
{
    /// <summary>Names what is wrong with a row among the added columns, whether or not there is a column for it.</summary>
    internal const string Fault = "";

    private protected RowToRowTransformer(StageHost host)
        : base(host)
    {
    }

    /// <summary>
    /// Whether each input row gives one output row: true, unless bad rows are skipped (<see cref="BadRows.Skip"/>) or several pictures a row are asked for.
    /// </summary>
    public sealed override bool IsRowToRowMapper => Policy.IsOneToOne;

    /// <summary>The columns that are computed, without the one that marks bad rows.</summary>
    private protected abstract IReadOnlyList<AddedColumn> Added { get; }

    /// <summary>What becomes of bad rows, and how many rows are made of one.</summary>
    private protected virtual RowPolicy Policy => RowPolicy.Strict;

    /// <inheritdoc/>
    public sealed override DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => Bind(inputSchema).OutputSchema;

    /// <inheritdoc/>
    public sealed override IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        Policy.RequireOneToOne(Host.Stage);
        return Bind(inputSchema);
    }

    /// <inheritdoc/>
    public sealed override IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedView(Policy.Count > 1 ? new RepeatedView(input, Policy) : input, Bind(input.Schema), Describe);
    }

    /// <summary>Checks the input columns.</summary>
    private protected abstract void Check(SchemaShape input);

    /// <summary>How many rows a cursor with these added columns active takes at once.</summary>
    private protected virtual int WindowSize(Func<string, bool> isActive) => 1;

    /// <summary>
    /// Makes the getters of the added columns over one cursor's rows: a <c>ValueGetter</c> of the column's type for each name, and by
    /// <paramref name="fault"/> what says what is wrong with the row.
    /// </summary>
    private protected abstract Func<string, Delegate> Open(RowWindow rows, out Func<string?> fault);

    /// <summary>What is computed, in words that are the same where the same rows give the same values.</summary>
    private protected abstract string Describe();

    private RowMapper Bind(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Check(ColumnCheck.ShapeOf(inputSchema));
        RowPolicy policy = Policy;
        return new RowMapper(RepeatedView.SchemaOf(inputSchema, policy), policy.Marked(Added), policy, Host.Warn, WindowSize, Opened);

        Func<string, Delegate> Opened(RowWindow rows)
        {
            Func<string, Delegate> open = Open(rows, out Func<string?> fault);
            return name => name == Fault || (policy.BadRows == BadRows.Mark && name == policy.ErrorColumn)
                ? (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = fault().AsMemory())
                : open(name);
        }
    }
}
