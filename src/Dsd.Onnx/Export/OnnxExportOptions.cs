using Dsd.Models.Lora;

namespace Dsd.Onnx.Export;

/// <summary>How models are exported.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>A folder in the layout of the published Diffusion Self-Distillation release: its <c>transformer</c> takes the place of the pipeline's. Null, the default, is none.</summary>
    public string? ReleaseFolder { get; init; }

    /// <summary>What the LoRA's additions are multiplied by, beside its own alpha / rank. −100 to 100; 1, the default, is as trained. It needs a LoRA.</summary>
    public float LoraScale
    {
        get;
        init => field = value is >= -100f and <= 100f
            ? value
            : throw new ArgumentOutOfRangeException(nameof(LoraScale), value, $"Option {nameof(LoraScale)} must lie between -100 and 100, but is {value}.");
    } = 1f;

    /// <summary>What becomes of a part of the LoRA that is for text encoders; CLIP's can be merged into CLIP's text encoder, at the same strength. Default: a file that has one is refused.</summary>
    public LoraTextEncoders LoraTextEncoders
    {
        get;
        init => field = Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(LoraTextEncoders), value, $"Option {nameof(LoraTextEncoders)} must be one of {string.Join(", ", Enum.GetNames<LoraTextEncoders>())}, but is {value}.");
    }

    /// <summary>Told what of the LoRA's file was left out or passed over. Null, the default, tells nobody.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Width of a frame in pixels that the model is meant for, a multiple of 16; written into <c>dsd.json</c> for callers. Default 512.</summary>
    public int FrameWidth { get; init => field = Side(value, nameof(FrameWidth)); } = 512;

    /// <summary>Height of a frame in pixels that the model is meant for, a multiple of 16; written into <c>dsd.json</c> for callers. Default 512.</summary>
    public int FrameHeight { get; init => field = Side(value, nameof(FrameHeight)); } = 512;

    /// <summary>
    /// The most bytes of weights inside a <c>model.onnx</c>; a model with more has them in <c>model.onnx.data</c> beside it.
    /// 0 to 1,500,000,000 (the format ends at 2 GiB), default 256,000,000.
    /// </summary>
    public long MostBytesInside
    {
        get;
        init => field = value is >= 0 and <= Graph.ModelWriter.MostBytesInside
            ? value
            : throw new ArgumentOutOfRangeException(nameof(MostBytesInside), value, $"Option {nameof(MostBytesInside)} must lie between 0 and {Graph.ModelWriter.MostBytesInside}, but is {value}.");
    } = 256_000_000;

    /// <summary>Replace an earlier export in the target folder. Default false; a folder that holds anything else is never replaced.</summary>
    public bool Overwrite { get; init; }

    private static int Side(int value, string option) =>
        value is >= 16 and <= 8192 && value % 16 == 0
            ? value
            : throw new ArgumentOutOfRangeException(option, value, $"Option {option} must be a multiple of 16 between 16 and 8192, but is {value}.");
}
