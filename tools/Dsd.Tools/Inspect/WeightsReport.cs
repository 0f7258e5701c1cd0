using Dsd.Models.Lora;
using Dsd.Models.Weights;

namespace Dsd.Tools.Inspect;

/// <summary>What is in a safetensors file, or in the shards of one model.</summary>
internal sealed record WeightsReport
{
    /// <summary>The kind of report, for readers of the JSON.</summary>
    public string Report { get; } = "weights";

    /// <summary>The file or index.</summary>
    public required string Path { get; init; }

    /// <summary>Which model's weights these are, in one word.</summary>
    public required string Kind { get; init; }

    /// <summary>The same for people.</summary>
    public required string Description { get; init; }

    /// <summary>Sizes read from the shapes, named as configs name them.</summary>
    public required IReadOnlyDictionary<string, object> Facts { get; init; }

    /// <summary>The low-rank pairs; null where there are none.</summary>
    public LoraSummary? Lora { get; init; }

    /// <summary>How many tensors.</summary>
    public required int TensorCount { get; init; }

    /// <summary>How many elements in all.</summary>
    public required long Parameters { get; init; }

    /// <summary>How many bytes in all, headers left out.</summary>
    public required long Bytes { get; init; }

    /// <summary>The element types that occur.</summary>
    public required IReadOnlyDictionary<string, DTypeShare> Types { get; init; }

    /// <summary>The header's metadata.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>The tensors, repeated blocks together.</summary>
    public required TensorGroup[] Tensors { get; init; }

    /// <summary>What does not fit together.</summary>
    public required string[] Warnings { get; init; }

    /// <summary>Reads the headers alone, and of an adapter the numbers too, as the loader does.</summary>
    /// <param name="path">A safetensors file, an index of shards, or a folder with one of them.</param>
    /// <param name="each">List each tensor where the default puts repeated blocks together.</param>
    public static WeightsReport Read(string path, bool each)
    {
        using WeightSource source = WeightSource.Open(path);
        Dictionary<string, TensorEntry> tensors = source.Names.Concat(source.ScaleNames).ToDictionary(n => n, source.Entry, StringComparer.Ordinal);
        Recognised recognised = new WeightsRecogniser(tensors).Recognise();
        bool isModel = recognised.Kind != "unknown";
        // A model's own weights are no whole tensors of an adapter.
        Dictionary<string, TensorEntry> adapter = isModel ? tensors.Where(t => LoraContents.IsAdapterKey(t.Key)).ToDictionary(StringComparer.Ordinal) : tensors;
        LoraSummary? lora = LoraSummary.Find(source.Path, adapter, source.Metadata, isModel, source.ReadNumber);
        List<string> warnings = [.. lora?.Warnings ?? []];
        if (lora is not null && !isModel)
        {
            recognised = lora.Layout switch
            {
                "peft" => new Recognised("lora", "low-rank adapter, PEFT's names", recognised.Facts),
                "kohya" => new Recognised("lora-kohya", "low-rank adapter with kohya's names", recognised.Facts),
                _ => new Recognised("lora-black-forest-labs", "low-rank adapter with the names of Black Forest Labs' single files", recognised.Facts),
            };
        }
        else if (lora is not null)
        {
            warnings.Add($"the model's weights carry {lora.Pairs} low-rank pairs besides; they are left unused when the model is loaded");
        }
        return new WeightsReport
        {
            Path = source.Path,
            Kind = recognised.Kind,
            Description = recognised.Description,
            Facts = recognised.Facts,
            Lora = lora,
            TensorCount = tensors.Count,
            Parameters = tensors.Values.Sum(t => t.ElementCount),
            Bytes = tensors.Values.Sum(t => t.ByteLength),
            Types = new SortedDictionary<string, DTypeShare>(
                tensors.Values.GroupBy(t => t.DType).ToDictionary(
                    g => g.Key,
                    g => new DTypeShare(g.Count(), g.Sum(t => t.ElementCount), g.Sum(t => t.ByteLength))), StringComparer.Ordinal),
            Metadata = source.Metadata,
            Tensors = each ? TensorGrouping.Each(tensors.Values) : TensorGrouping.Group(tensors.Values),
            Warnings = [.. warnings],
        };
    }
}
