using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Columns;

/// <summary>A column that a transformer adds.</summary>
/// <param name="Name">Its name; a column of the input with the same name is hidden by it.</param>
/// <param name="Type">Its type.</param>
/// <param name="Reads">The input columns that its values are computed from.</param>
/// <param name="Annotations">What is known about the column as a whole.</param>
internal sealed record AddedColumn(string Name, DataViewType Type, IReadOnlyList<string> Reads, DataViewSchema.Annotations? Annotations = null)
{
    /// <summary>The column as an estimator promises it.</summary>
    public SchemaShape.Column Shape
    {
        get
        {
            SchemaShape? annotations = Annotations is null
                ? null
                : new SchemaShape(Annotations.Schema.Select(a => new SchemaShape.Column(a.Name, SchemaShape.Column.VectorKind.Scalar, a.Type, false)));
            if (Type is not VectorDataViewType vector)
            {
                return new SchemaShape.Column(Name, SchemaShape.Column.VectorKind.Scalar, Type, false, annotations);
            }
            SchemaShape.Column.VectorKind kind = vector.IsKnownSize ? SchemaShape.Column.VectorKind.Vector : SchemaShape.Column.VectorKind.VariableVector;
            return new SchemaShape.Column(Name, kind, vector.ItemType, false, annotations);
        }
    }

    /// <summary>The input's schema with the added columns behind it.</summary>
    public static DataViewSchema Extend(DataViewSchema input, IEnumerable<AddedColumn> added)
    {
        DataViewSchema.Builder builder = new();
        builder.AddColumns(input);
        foreach (AddedColumn column in added)
        {
            builder.AddColumn(column.Name, column.Type, column.Annotations);
        }
        return builder.ToSchema();
    }
}
