using Dsd.Curation.Grids;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Columns;

/// <summary>
/// The type of the annotation with a layout, whose value is a text. It names the layout itself, because estimators see types and no values before
/// anything is fitted.
/// </summary>
internal sealed class GridLayoutDataViewType(GridLayout layout) : StructuredDataViewType(typeof(ReadOnlyMemory<char>))
{
    public GridLayout Layout => layout;

    public override bool Equals(DataViewType? other) => other is GridLayoutDataViewType same && same.Layout.ToString() == layout.ToString();

    public override bool Equals(object? other) => Equals(other as DataViewType);

    public override int GetHashCode() => layout.ToString().GetHashCode(StringComparison.Ordinal);

    public override string ToString() => $"GridLayout<{layout}>";
}
