using Dsd.Evaluation.Encoders;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Evaluation;

/// <summary>What is written at the columns that an encoder's stages add: which encoder it was, and which metric.</summary>
internal static class EncoderAnnotations
{
    public const string Kind = "EncoderKind";
    public const string Source = "EncoderSource";
    public const string Metric = "Metric";

    /// <param name="folder">The encoder.</param>
    /// <param name="metric">The metric's name; null where the column holds none.</param>
    public static DataViewSchema.Annotations Of(EncoderFolder folder, string? metric = null)
    {
        DataViewSchema.Annotations.Builder builder = new();
        Add(Kind, folder.Kind.ToString());
        Add(Source, folder.Source);
        if (metric is not null)
        {
            Add(Metric, metric);
        }
        return builder.ToAnnotations();

        void Add(string name, string text) =>
            builder.Add(name, TextDataViewType.Instance, (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = text.AsMemory()));
    }
}
