using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>How a network's graph is written: the type of its numbers, the bits of its weights, and for which runtimes.</summary>
/// <param name="Floats">The type of real numbers.</param>
/// <param name="Bits">Bits of the weights of linear layers, 4 or 8; null is as many as <paramref name="Floats"/> has.</param>
/// <param name="Target">For which runtimes.</param>
public sealed record GraphFormat(ElementType Floats, int? Bits, GraphTarget Target)
{
    /// <summary>Whether linear layers of the network take an adapter's factors as inputs. Default false.</summary>
    public bool AdapterInputs { get; init; }

    /// <summary>Single precision, standard operators.</summary>
    public static GraphFormat Plain { get; } = new(ElementType.Float32, null, GraphTarget.Portable);

    /// <summary>The denoising network's.</summary>
    public static GraphFormat OfNetwork(OnnxExportOptions options) => Of(options, options.Precision switch
    {
        ExportPrecision.Int8 => 8,
        ExportPrecision.Int4 => 4,
        _ => null,
    }) with
    { AdapterInputs = options.AdapterInputs };

    /// <summary>That of a network that runs once a generation, or for text: 4 bits would save little there.</summary>
    public static GraphFormat OfPreparation(OnnxExportOptions options) =>
        Of(options, options.Precision is ExportPrecision.Int8 or ExportPrecision.Int4 ? 8 : null);

    /// <summary>That of T5, whose states leave half precision's range.</summary>
    public static GraphFormat OfWideText(OnnxExportOptions options)
    {
        GraphFormat format = OfPreparation(options);
        return format.Floats != ElementType.Float16 ? format
            : format with { Floats = options.Target == GraphTarget.Cuda ? ElementType.BFloat16 : ElementType.Float32 };
    }

    /// <summary>That of a small text encoder.</summary>
    public static GraphFormat OfSmallText(OnnxExportOptions options) => Of(options, null);

    private static GraphFormat Of(OnnxExportOptions options, int? bits)
    {
        ArgumentNullException.ThrowIfNull(options);
        ElementType floats = options.Precision switch
        {
            ExportPrecision.Float32 => ElementType.Float32,
            ExportPrecision.Float16 => ElementType.Float16,
            ExportPrecision.BFloat16 => ElementType.BFloat16,
            // Processors compute with what they have; on GPUs the range of bfloat16 is safe for every state.
            _ => options.Target == GraphTarget.Cuda ? ElementType.BFloat16 : ElementType.Float32,
        };
        return new GraphFormat(floats, bits, options.Target);
    }

    /// <summary>Whether kernels may narrow what comes into a layer of 4 or 8 bits too. Processors gain by it; GPUs do not know it.</summary>
    public bool IntProducts => Bits is not null && Target == GraphTarget.Portable;
}
