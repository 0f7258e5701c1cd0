using Dsd.Curation.Grids;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Columns;

/// <summary>How the panels of an image column's grids lie, written at the column: a text such as <c>2x2</c>, which the annotation's type says too.</summary>
internal static class LayoutAnnotation
{
    public const string Name = "GridLayout";

    public static DataViewSchema.Annotations Of(GridLayout layout)
    {
        DataViewSchema.Annotations.Builder builder = new();
        builder.Add(Name, new GridLayoutDataViewType(layout), (ref ReadOnlyMemory<char> value) => value = layout.ToString().AsMemory());
        return builder.ToAnnotations();
    }

    /// <summary>Whether a layout will be at a column.</summary>
    public static bool IsAt(SchemaShape.Column column) => column.Annotations.TryFindColumn(Name, out _);

    /// <summary>The layout that will be at a column, or null where its shape does not tell.</summary>
    public static GridLayout? Known(SchemaShape.Column column) =>
        column.Annotations.TryFindColumn(Name, out SchemaShape.Column annotation) ? (annotation.ItemType as GridLayoutDataViewType)?.Layout : null;

    /// <summary>The layout at a column, or null where it says nothing.</summary>
    public static GridLayout? Find(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Name)?.Type is not (GridLayoutDataViewType or TextDataViewType))
        {
            return null;
        }
        ReadOnlyMemory<char> text = default;
        column.Annotations.GetValue(Name, ref text);
        return GridLayout.Parse(text.ToString());
    }
}
