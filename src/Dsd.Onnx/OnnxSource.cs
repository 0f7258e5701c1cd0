namespace Dsd.Onnx;

/// <summary>What an ONNX folder was made of. Folders are named without the way to them: an export says nothing about the machine.</summary>
public sealed record OnnxSource
{
    /// <summary>The name of the model's folder.</summary>
    public required string Model { get; init; }

    /// <summary>The name of the release's folder, whose transformer took the place of the model's; null is none.</summary>
    public string? Release { get; init; }

    /// <summary>
    /// The SHA-256 of the header of each file of weights (names, types, shapes and metadata), by component and file name, such as
    /// <c>transformer/diffusion_pytorch_model.safetensors</c>; an adapter's file stands under <c>lora/</c>.
    /// </summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }
}
