using Dsd.Curation.Grids;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Columns;

/// <summary>How the panels of an image column's sheets lie, written at the column: a text such as <c>2x2</c>.</summary>
internal static class LayoutAnnotation
{
    public const string Name = "GridLayout";

    public static DataViewSchema.Annotations Of(GridLayout layout)
    {
        DataViewSchema.Annotations.Builder builder = new();
        builder.Add(Name, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = layout.ToString().AsMemory());
        return builder.ToAnnotations();
    }

    /// <summary>The layout at a column, or null where it says nothing.</summary>
    public static GridLayout? Find(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Name)?.Type is not TextDataViewType)
        {
            return null;
        }
        ReadOnlyMemory<char> text = default;
        column.Annotations.GetValue(Name, ref text);
        return GridLayout.Parse(text.ToString());
    }
}
