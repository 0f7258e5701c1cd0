using Dsd.Common.Options;

namespace Dsd.Onnx.Export;

/// <summary>How models are exported.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>The precision of the weights. Default: single precision.</summary>
    public ExportPrecision Precision { get; init => field = OptionCheck.Defined(value, nameof(Precision)); } = ExportPrecision.Float32;

    /// <summary>For which runtimes the graphs are written. Default: any.</summary>
    public GraphTarget Target { get; init => field = OptionCheck.Defined(value, nameof(Target)); } = GraphTarget.Portable;

    /// <summary>
    /// A folder in the layout of the published Diffusion Self-Distillation release: its <c>transformer</c> takes the place of the pipeline's. Null, the
    /// default, is none.
    /// </summary>
    public string? ReleaseFolder { get; init; }

    /// <summary>What <c>dsd.json</c> says which LoRA is merged. Null, the default: the name of its file, or where it came from. It needs a LoRA.</summary>
    public string? LoraName { get; init => field = OptionCheck.TextOrNull(value, nameof(LoraName)); }

    /// <summary>Told what of the LoRA's file was left out or passed over. Null, the default, tells nobody.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Width of a frame in pixels that the model is meant for, a multiple of 16; written into <c>dsd.json</c> for callers. Default 512.</summary>
    public int FrameWidth { get; init => field = OptionCheck.Side(value, nameof(FrameWidth)); } = 512;

    /// <summary>Height of a frame in pixels that the model is meant for, a multiple of 16; written into <c>dsd.json</c> for callers. Default 512.</summary>
    public int FrameHeight { get; init => field = OptionCheck.Side(value, nameof(FrameHeight)); } = 512;

    /// <summary>
    /// The most bytes of weights inside a <c>model.onnx</c>; a model with more has them in <c>model.onnx.data</c> beside it.
    /// 0 to 1,500,000,000 (the format ends at 2 GiB), default 256,000,000.
    /// </summary>
    public long MostBytesInside
    {
        get;
        init => field = OptionCheck.Range(value, 0, Graph.ModelWriter.MostBytesInside, nameof(MostBytesInside));
    } = 256_000_000;

    /// <summary>
    /// The most bytes of weights in one file beside a <c>model.onnx</c>; more are divided among several files. 1,000,000 to 1,000,000,000,000; default
    /// 2,000,000,000.
    /// </summary>
    public long MostBytesBeside
    {
        get;
        init => field = OptionCheck.Range(value, 1_000_000, 1_000_000_000_000, nameof(MostBytesBeside));
    } = Graph.ModelWriter.MostBytesBeside;

    /// <summary>
    /// The most weights, about, of a model that makes FLUX's modulation; a modulation with more is divided among several models of the same size, so that a
    /// GPU need not hold all of it at once. 1,000 to 1,000,000,000,000; default 500,000,000, which gives FLUX.1-dev seven models.
    /// </summary>
    public long MostModulationWeights
    {
        get;
        init => field = OptionCheck.Range(value, 1_000, 1_000_000_000_000, nameof(MostModulationWeights));
    } = 500_000_000;

    /// <summary>
    /// Give the transformer's linear layers, but those that make the modulation, inputs for an adapter's two factors, so that adapters can be changed from
    /// picture to picture (<see cref="Runtime.OnnxPipeline.WithAdapters"/>), whatever the precision of the weights. A model that draws from text alone
    /// then draws from a reference once an adapter holds a <c>c_embedder</c> for it. Each step takes longer, with an adapter and without. Default false:
    /// adapters are merged into the weights, which costs a step nothing.
    /// </summary>
    public bool AdapterInputs { get; init; }

    /// <summary>Replace an earlier export in the target folder. Default false; a folder that holds anything else is never replaced.</summary>
    public bool Overwrite { get; init; }
}
