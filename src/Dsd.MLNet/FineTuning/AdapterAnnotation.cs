using Microsoft.ML;

namespace Dsd.MLNet.FineTuning;

/// <summary>The trained adapter, written at its column, where a following stage finds it without reading a row.</summary>
internal static class AdapterAnnotation
{
    public const string Name = "Adapter";

    public static DataViewSchema.Annotations Of(LoraWeights? adapter)
    {
        DataViewSchema.Annotations.Builder builder = new();
        builder.Add(Name, new LoraDataViewType(), (ref LoraWeights value) => value = adapter!);
        return builder.ToAnnotations();
    }

    /// <summary>A getter of a column's values that gives the adapter noted at it in every row.</summary>
    public static ValueGetter<LoraWeights> Getter(DataViewSchema.Column column)
    {
        LoraWeights? adapter = Find(column);
        return (ref LoraWeights value) => value = adapter!;
    }

    /// <summary>The adapter at a column, or null where there is none.</summary>
    public static LoraWeights? Find(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Name)?.Type is not LoraDataViewType)
        {
            return null;
        }
        LoraWeights adapter = null!;
        column.Annotations.GetValue(Name, ref adapter);
        return adapter;
    }
}
