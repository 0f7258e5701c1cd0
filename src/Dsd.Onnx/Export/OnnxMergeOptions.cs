namespace Dsd.Onnx.Export;

/// <summary>How adapters are merged into an exported model.</summary>
public sealed record OnnxMergeOptions
{
    /// <summary>Replace an earlier export in the target folder. Default false; a folder that holds anything else is never replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Told what of an adapter's file was left out or passed over. Null, the default, tells nobody.</summary>
    public Action<string>? Warn { get; init; }
}
