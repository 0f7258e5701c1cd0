using Dsd.Common.Options;
using Dsd.Onnx.Runtime;
using Dsd.Tiny;
using static TorchSharp.torch;

namespace Dsd.Lab.Study;

/// <summary>Which adapters are measured, with which model, where, and on how many cases.</summary>
internal sealed record AdapterMeasureOptions
{
    /// <summary>The folder for <c>measure.md</c>, <c>measure.json</c> and the picture sheets.</summary>
    public required string OutFolder { get; init; }

    /// <summary>
    /// Adapters' files, and folders of exported models, which ONNX Runtime draws with. They are compared with the first. Empty, the default: the model's own
    /// student.
    /// </summary>
    public IReadOnlyList<string> AdapterFiles { get; init; } = [];

    /// <summary>The teacher's folder, with its classifier. Default the embedded model's.</summary>
    public string ModelFolder { get; init; } = TinyModel.Folder;

    /// <summary>Side of a picture in pixels. Default <see cref="TinyModel.PanelSize"/>.</summary>
    public int PanelSize { get; init => field = OptionCheck.Range(value, 16, 2048, nameof(PanelSize)); } = TinyModel.PanelSize;

    /// <summary>Where adapters are drawn and pictures are judged. Default the CPU.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>How exported models are drawn. Default on the CPU.</summary>
    public OnnxRuntimeOptions Onnx { get; init; } = new();

    /// <summary>A study's config, whose cases are drawn as it says, or null, the default, for the full study's.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>The first subjects of the study alone, 1 to 10,000; null, the default, as the config says.</summary>
    public int? Subjects { get; init => field = value is { } n ? OptionCheck.Range(n, 1, 10_000, nameof(Subjects)) : null; }
}
