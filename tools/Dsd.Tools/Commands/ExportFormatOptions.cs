using System.CommandLine;
using System.CommandLine.Parsing;
using Dsd.Onnx.Export;

namespace Dsd.Tools.Commands;

/// <summary>The options that say how an export's models are written.</summary>
/// <param name="precision">The name of the one for precision.</param>
internal sealed class ExportFormatOptions(string precision)
{
    private static readonly (string Name, ExportPrecision Value)[] Precisions =
    [
        ("float32", ExportPrecision.Float32), ("float16", ExportPrecision.Float16), ("bfloat16", ExportPrecision.BFloat16), ("int8", ExportPrecision.Int8),
        ("int4", ExportPrecision.Int4),
    ];

    private static readonly (string Name, GraphTarget Value)[] Targets = [("portable", GraphTarget.Portable), ("cuda", GraphTarget.Cuda)];

    /// <summary>The precision of the weights.</summary>
    public Option<ExportPrecision?> Precision { get; } = new(precision)
    {
        Description = "Precision of the export's weights.",
        HelpName = string.Join('|', Precisions.Select(p => p.Name)),
        CustomParser = result => Named(result, Precisions),
    };

    /// <summary>For which provider of ONNX Runtime the graphs are.</summary>
    public Option<GraphTarget?> Provider { get; } = new("--provider")
    {
        Description = "For which provider of ONNX Runtime the graphs are written: any (portable), or cuda alone.",
        HelpName = string.Join('|', Targets.Select(t => t.Name)),
        CustomParser = result => Named(result, Targets),
    };

    /// <summary>The name of a precision.</summary>
    public static string Name(ExportPrecision value) => Precisions.First(p => p.Value == value).Name;

    /// <summary>The value that a word on the command line stands for.</summary>
    public static T Named<T>(ArgumentResult result, (string Name, T Value)[] known)
    {
        string text = result.Tokens[0].Value;
        foreach ((string name, T value) in known)
        {
            if (name == text)
            {
                return value;
            }
        }
        result.AddError(
            $"Option '{(result.Parent as OptionResult)?.Option.Name}' must be one of {string.Join(", ", known.Select(k => k.Name))}, but is "
                + $"'{Printable.Line(text, 40)}'.");
        return known[0].Value;
    }
}
